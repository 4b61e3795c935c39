/** The box's own style, out of the host page's reach. Sizes are fixed: the frame takes the button's place. A
 * site may set the custom properties below on the element. */
export const sheet = `
:host{all:initial;display:block;box-sizing:border-box;width:100%;max-width:var(--murmuration-width,26rem);height:15rem;
contain:layout size;color-scheme:light dark;
font:15px/1.4 var(--murmuration-font,system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif);
border:1px solid light-dark(#dedbd2,#2e3543);border-radius:var(--murmuration-radius,1rem);overflow:hidden;
background:light-dark(#fffefb,#191e28);color:light-dark(#1f242e,#e9e6e0)}
:host([theme=light]){color-scheme:light}
:host([theme=dark]){color-scheme:dark}
:host([hidden]){display:none}
@media (max-width:30rem){:host{height:20rem}}
svg{width:88px;height:36px;fill:light-dark(#2c3550,#c9d2f2)}
div{box-sizing:border-box;height:100%;padding:.8rem 1rem;display:flex;flex-direction:column;gap:.8rem;
justify-content:center;align-items:center;text-align:center}
p{margin:0;color:light-dark(#555e6e,#a7aebc);font-size:13px}
button{font:inherit;font-weight:600;min-height:2.5rem;padding:.3rem 1rem;border-radius:.7rem;cursor:pointer;
border:1px solid transparent;background:var(--murmuration-accent,light-dark(#3a4fa0,#a3b5ff));
color:var(--murmuration-on-accent,light-dark(#fff,#10142a))}
.quiet{background:none;color:inherit;border-color:light-dark(#dedbd2,#2e3543)}
:focus-visible{outline:2px solid light-dark(#3a4fa0,#a3b5ff);outline-offset:2px}
iframe{display:block;width:100%;height:100%;border:0}
`;
