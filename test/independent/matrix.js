/** Products of row-major matrices of doubles. All of them come down to products of rows with rows. */

/** [rows, columns] → [columns, rows], a copy. */
export function transposed(matrix, rows, columns) {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = matrix[i * columns + j];
  }
  return out;
}

/**
 * out [n, m] += a [n, k] · bᵀ of b [m, k]. Four rows by two columns at a time, so that a number that was loaded is used more
 * than once.
 */
export function addRowsByRows(out, a, b, n, k, m) {
  const [n4, m2] = [n - (n % 4), m - (m % 2)];
  for (let i = 0; i < n4; i += 4) {
    const [a0, a1, a2, a3] = [i * k, (i + 1) * k, (i + 2) * k, (i + 3) * k];
    for (let j = 0; j < m2; j += 2) {
      const [b0, b1] = [j * k, (j + 1) * k];
      let [s00, s01, s10, s11, s20, s21, s30, s31] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (let l = 0; l < k; l++) {
        const x = b[b0 + l];
        const y = b[b1 + l];
        let v = a[a0 + l];
        s00 += v * x;
        s01 += v * y;
        v = a[a1 + l];
        s10 += v * x;
        s11 += v * y;
        v = a[a2 + l];
        s20 += v * x;
        s21 += v * y;
        v = a[a3 + l];
        s30 += v * x;
        s31 += v * y;
      }
      out[i * m + j] += s00;
      out[i * m + j + 1] += s01;
      out[(i + 1) * m + j] += s10;
      out[(i + 1) * m + j + 1] += s11;
      out[(i + 2) * m + j] += s20;
      out[(i + 2) * m + j + 1] += s21;
      out[(i + 3) * m + j] += s30;
      out[(i + 3) * m + j + 1] += s31;
    }
  }
  const rest = (i, j) => {
    let sum = 0;
    for (let l = 0; l < k; l++) sum += a[i * k + l] * b[j * k + l];
    out[i * m + j] += sum;
  };
  for (let i = 0; i < n; i++) for (let j = i < n4 ? m2 : 0; j < m; j++) rest(i, j);
}

/** x [rows, inner] · w [inner, columns] + bias → [rows, columns]. */
export function linear(x, w, bias, rows, inner, columns) {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) out.set(bias, i * columns);
  addRowsByRows(out, x, transposed(w, inner, columns), rows, inner, columns);
  return out;
}

/** The gradients of {@link linear}: adds to those of w and bias, returns that of x. */
export function linearBackward(x, w, dw, dBias, dOut, rows, inner, columns) {
  const dx = new Float64Array(rows * inner);
  addRowsByRows(dx, dOut, w, rows, columns, inner); // dOut · wᵀ
  addRowsByRows(dw, transposed(x, rows, inner), transposed(dOut, rows, columns), inner, rows, columns); // xᵀ · dOut
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) dBias[j] += dOut[i * columns + j];
  return dx;
}
