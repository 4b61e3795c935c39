/** Where the browser keeps which of a server's runs a visitor agreed to help, wherever it helps most. */
export const ANYWHERE = "murmuration-anywhere";
