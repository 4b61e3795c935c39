/** Times its gain on its own text that a delta may lose on gate text. */
export const MAX_HARM = 3;
/**
 * Standard errors by which a measurement must miss a bound before a volunteer is blamed for it. More would let noise go
 * unproven for as long as it lasts; an honest volunteer seldom misses one at all.
 */
export const SURE = 1;
