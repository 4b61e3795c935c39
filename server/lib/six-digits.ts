/** A number as it is journaled where six significant digits are more than anything needs: it is shorter so. */
export const sixDigits = (value: number): number => Number(value.toPrecision(6));
