/**
 * On which site's page a volunteer's frame stands, as its client says with every signed request: for the operator's
 * statistics of the sites that may embed, and for nothing else (W1, W2). Absent on the server's own page.
 */
export const SITE_HEADER = "murmuration-site";
