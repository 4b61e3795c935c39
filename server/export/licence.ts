/** Licences that Hugging Face's hub has identifiers for, of those that models and texts have. */
const IDENTIFIERS = new Set(
  `afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bigscience-bloom-rail-1.0 bigscience-openrail-m bsd bsd-2-clause
bsd-3-clause bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0
cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0
cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0 creativeml-openrail-m ecl-2.0 epl-1.0 epl-2.0
etalab-2.0 eupl-1.1 eupl-1.2 gfdl gpl gpl-2.0 gpl-3.0 isc lgpl lgpl-2.1 lgpl-3.0 mit mpl-2.0 odbl odc-by openrail
openrail++ osl-3.0 pddl unlicense wtfpl zlib`.split(/\s+/),
);

/** The hub's identifier of a licence as people write it ("CC BY 4.0"); undefined for one that it has none for. */
export function licenceIdentifier(licence: string): string | undefined {
  const id = licence
    .toLowerCase()
    .replace(/\blicen[cs]e\b|\bversion\b/g, " ")
    .trim()
    .replace(/[\s-]+v?/g, "-");
  return IDENTIFIERS.has(id) ? id : undefined;
}
