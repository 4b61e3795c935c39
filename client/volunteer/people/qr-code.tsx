import { useMemo } from "preact/hooks";
import encode from "qr";

/** Modules of white around the code: what the standard asks for. */
const BORDER = 4;

/** A text as a QR code, dark on light in either theme: not every camera reads the other way round. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const rows = useMemo(() => encode(text, "raw", { ecc: "medium", border: BORDER }), [text]);
  const path = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <svg class="qr" viewBox={`0 0 ${rows.length} ${rows.length}`} role="img" aria-label={label}>
      <rect width="100%" height="100%" fill="#fff" />
      <path d={path} fill="#000" shape-rendering="crispEdges" />
    </svg>
  );
}
