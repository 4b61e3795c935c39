/**
 * Causal attention of every head (rule L2 of docs/PROTOCOL.md). `qkv` [R, 3C] has queries, keys and values side by side; head j has
 * the columns from j × D on of each.
 */

/** The heads' results side by side [R, C], and what each position looked at [B, heads, T, T]. */
export function attention(qkv, { batch, time, heads, width }) {
  const side = width / heads;
  const scale = 1 / Math.sqrt(side);
  const mixed = new Float64Array(batch * time * width);
  const probabilities = new Float64Array(batch * heads * time * time);
  each({ batch, heads, time }, (b, head, t, at) => {
    const q = (b * time + t) * 3 * width + head * side;
    const row = probabilities.subarray(at, at + t + 1);
    let most = -Infinity;
    for (let s = 0; s <= t; s++) {
      const k = (b * time + s) * 3 * width + width + head * side;
      let dot = 0;
      for (let i = 0; i < side; i++) dot += qkv[q + i] * qkv[k + i];
      row[s] = dot * scale;
      if (row[s] > most) most = row[s];
    }
    let total = 0;
    for (let s = 0; s <= t; s++) {
      row[s] = Math.exp(row[s] - most);
      total += row[s];
    }
    const out = (b * time + t) * width + head * side;
    for (let s = 0; s <= t; s++) {
      row[s] /= total;
      const v = (b * time + s) * 3 * width + 2 * width + head * side;
      for (let i = 0; i < side; i++) mixed[out + i] += row[s] * qkv[v + i];
    }
  });
  return { mixed, probabilities };
}

/** The gradient by `qkv`, from that by the heads' results. */
export function attentionBackward(qkv, probabilities, dMixed, { batch, time, heads, width }) {
  const side = width / heads;
  const scale = 1 / Math.sqrt(side);
  const d = new Float64Array(qkv.length);
  const dRow = new Float64Array(time);
  each({ batch, heads, time }, (b, head, t, at) => {
    const q = (b * time + t) * 3 * width + head * side;
    const out = (b * time + t) * width + head * side;
    const row = probabilities.subarray(at, at + t + 1);
    let along = 0;
    for (let s = 0; s <= t; s++) {
      const v = (b * time + s) * 3 * width + 2 * width + head * side;
      let dot = 0;
      for (let i = 0; i < side; i++) {
        dot += dMixed[out + i] * qkv[v + i];
        d[v + i] += row[s] * dMixed[out + i];
      }
      dRow[s] = dot;
      along += dot * row[s];
    }
    for (let s = 0; s <= t; s++) {
      const k = (b * time + s) * 3 * width + width + head * side;
      const dScore = row[s] * (dRow[s] - along) * scale;
      for (let i = 0; i < side; i++) {
        d[q + i] += dScore * qkv[k + i];
        d[k + i] += dScore * qkv[q + i];
      }
    }
  });
  return d;
}

/** Calls `visit` with every row of text, head and position, and where its probabilities begin. */
function each({ batch, heads, time }, visit) {
  for (let b = 0; b < batch; b++) {
    for (let head = 0; head < heads; head++) {
      for (let t = 0; t < time; t++) visit(b, head, t, ((b * heads + head) * time + t) * time);
    }
  }
}
