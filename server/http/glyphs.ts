/** Columns and rows of a letter. */
export const [GLYPH_WIDTH, GLYPH_HEIGHT] = [5, 7];

/**
 * Letters of five by seven dots, in the way of dot-matrix displays: each has a digit of base 32 for each row, its bits the
 * dots from left to right. A font file would be the largest part of the server.
 */
const DATA = `
A:ehhvhhh B:uhhuhhu C:ehggghe D:uhhhhhu E:vgguggv F:vgguggg G:ehgnhhf H:hhhvhhh I:e44444e J:722222i4 K:hikokih L:ggggggv
M:hrllhhh N:hhpljhh O:ehhhhhe P:uhhuggg Q:ehhhlid R:uhhukih S:fgge11u T:v444444 U:hhhhhhe V:hhhhha4 W:hhhllla X:hha4ahh
Y:hhha444 Z:v1248gv 0:ehjlphe 1:4c4444e 2:eh1248v 3:v24212he 4:26aiv22 5:vgu11he 6:68guhhe 7:v124888 8:ehhehhe 9:ehhf12c
.:00000cc ,:0000c48 -:000v000 +:044v440 ':c480000 &:cikoalid /:01248g0 !:4444004 ::0cc0cc0
`;

const GLYPHS: ReadonlyMap<string, readonly number[]> = new Map(
  DATA.trim()
    .split(/\s+/)
    .map((entry) => [
      entry.slice(0, 1),
      [...entry.slice(2, 2 + GLYPH_HEIGHT)].map((row) => parseInt(row, 32)),
    ]),
);

/** A text as it can be drawn: in capitals, without accents. Undefined where a character of it cannot. */
export function drawable(text: string): string | undefined {
  const plain = text.normalize("NFD").replace(/\p{M}/gu, "").replaceAll("’", "'").toUpperCase();
  return [...plain].every((character) => character === " " || GLYPHS.has(character)) ? plain : undefined;
}

/** Calls back with each dot of a drawable text, in columns and rows from its upper left. */
export function dotsOf(text: string, dot: (x: number, y: number) => void): void {
  [...text].forEach((character, place) => {
    GLYPHS.get(character)?.forEach((row, y) => {
      for (let x = 0; x < GLYPH_WIDTH; x++) {
        if ((row >> (GLYPH_WIDTH - 1 - x)) & 1) dot(place * (GLYPH_WIDTH + 1) + x, y);
      }
    });
  });
}
