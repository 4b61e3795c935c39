import { readFileSync } from "node:fs";
import { join } from "node:path";
import { argv, exit } from "node:process";
import { pathToFileURL } from "node:url";
import { AdamW } from "./adamw.js";
import { batchesOf } from "./batches.js";
import { bytesToFloats, canonicalJson, floatsToBytes, fromHex, sha256, toHex } from "./bytes.js";
import { decodeFrame, encodeFrame } from "./frame.js";
import { lossAndGradient } from "./gpt2.js";
import { proves, recordHash } from "./history.js";
import { fileOf, hashOf, initialWeights, layoutOf } from "./layout.js";
import { packFrame, unpackFrame } from "./packed.js";
import { Random } from "./random.js";
import { fits, keyPair, requireSigned, signedBytes, signFor } from "./signature.js";
import { uploadOf } from "./upload.js";

/** Computes protocol/vectors.json again (docs/PROTOCOL.md, section 15): `node test/independent/check-vectors.js [FILE]`. */

/** What differs, a line each; and how many values were compared. */
export function compare(vectors) {
  const differences = [];
  let compared = 0;
  const same = (what, ours, theirs) => {
    compared++;
    if (canonicalJson(ours) !== canonicalJson(theirs)) differences.push(what);
  };
  checkTexts(vectors, same);
  checkSigned(vectors, same);
  checkDrawn(vectors, same);
  checkFrames(vectors.frames, same);
  checkTraining(vectors, same);
  return { compared, differences };
}

function checkTexts({ canonical }, same) {
  canonical.forEach(({ value, text }, i) => {
    same(`canonical ${i}`, canonicalJson(value), text);
  });
}

function checkSigned({ keys, signed }, same) {
  const pairs = Object.fromEntries(
    Object.entries(keys).map(([name, { seed, key }]) => {
      const pair = keyPair(fromHex(seed));
      same(`the ${name}'s key`, pair.key, key);
      return [name, pair];
    }),
  );
  for (const purpose of ["request", "ticket", "receipt", "version", "chunks", "audit", "link"]) {
    const { by, value, bytes, signature } = signed[purpose];
    same(`${purpose}: bytes`, toHex(signedBytes(purpose, value)), bytes);
    same(`${purpose}: signature`, signFor(pairs[by].privateKey, purpose, value), signature);
    same(`${purpose}: fits`, fits(pairs[by].key, fromHex(bytes), signature), true);
    same(`${purpose}: fits no other bytes`, fits(pairs[by].key, fromHex(`${bytes}20`), signature), false);
  }
  const manifest = { server: keys.server.key, run: signed.receipt.value.run };
  requireSigned(keys.server.key, "receipt", signed.receipt.answer);
  requireSigned(keys.server.key, "ticket", signed.upload.ticket);
  const { hash, proof } = signed.version;
  same("a record's hash", recordHash(proof.record), hash);
  same("a proof", proves(proof, signed.receipt.value, manifest), true);
  same("a proof of another place", proves({ ...proof, position: 0 }, signed.receipt.value, manifest), false);
  const { ticket, report, frame, body } = signed.upload;
  // An envelope's keys are in no order that matters: its length, its value and the frame are what must agree.
  const [ours, theirs] = [uploadOf(ticket, report, fromHex(frame)), fromHex(body)].map(partsOf);
  same("an upload's envelope", ours.envelope, theirs.envelope);
  same("an upload's frame", ours.frame, theirs.frame);
}

function partsOf(body) {
  const length = new DataView(body.buffer, body.byteOffset).getUint32(0, true);
  const text = new TextDecoder().decode(body.subarray(4, 4 + length));
  return { envelope: JSON.parse(text), frame: toHex(body.subarray(4 + length)) };
}

function checkDrawn({ random, batches }, same) {
  for (const { seed, draws } of random.draws) {
    const generator = new Random(seed);
    same(
      `draws of seed ${seed}`,
      draws.map(() => generator.u32()),
      draws,
    );
  }
  for (const { seed, bound, draws, next } of random.bounded) {
    const generator = new Random(seed);
    same(
      `draws below ${bound}`,
      draws.map(() => generator.below(bound)),
      draws,
    );
    same(`what follows draws below ${bound}`, generator.u32(), next);
  }
  batches.forEach(({ context, range, shard, steps }, i) => {
    const ours = batchesOf(Uint16Array.from(shard), range, context).map((step) => [...step]);
    same(`batches ${i}`, ours, steps);
  });
}

function checkFrames({ encoded, refused, packed, packedRefused }, same) {
  encoded.forEach(({ codec, values, frame, decoded }, i) => {
    const name = `frame ${i}, ${codec.name} ${codec.bits ?? ""}`;
    const vector = bytesToFloats(fromHex(values));
    same(name, toHex(encodeFrame(codec, vector)), frame);
    // −0 is 0 here: adding a value to 0 makes it that.
    const ours = decodeFrame(fromHex(frame), vector.length).map((value) => value + 0);
    same(`${name}, decoded`, toHex(floatsToBytes(ours)), decoded);
  });
  for (const { what, count, frame, code } of refused) {
    const ours = refusalOf(() => decodeFrame(fromHex(frame), count));
    same(`a frame with ${what}`, ours, code);
  }
  packed.forEach(({ codec, count, frame, packed }, i) => {
    same(`packed ${i}`, toHex(packFrame(codec, fromHex(frame), count)), packed);
    same(`packed ${i}, unpacked`, toHex(unpackFrame(codec, fromHex(packed), count)), frame);
  });
  for (const { what, codec, count, packed, code } of packedRefused) {
    const ours = refusalOf(() => decodeFrame(unpackFrame(codec, fromHex(packed), count), count));
    same(`a packed frame with ${what}`, ours, code);
  }
}

function refusalOf(read) {
  try {
    read();
  } catch (error) {
    return error.code;
  }
  return "taken";
}

function checkTraining({ initial, training }, same) {
  const { shape, seed } = initial;
  const layout = layoutOf(shape);
  const loaded = initialWeights(shape, seed);
  same("the parameters", layout.length, initial.parameters);
  same(
    "the layout",
    layout.tensors.map(({ name, shape, offset }) => ({ name, shape, offset })),
    initial.tensors,
  );
  same("the weights of version 0", toHex(floatsToBytes(loaded)), initial.weights);
  same("the file's head", toHex(fileOf(layout, loaded).subarray(0, -4 * layout.length)), initial.head);
  same("the hash of version 0", hashOf(layout, loaded), initial.hash);
  same("the hash is the file's", sha256(fileOf(layout, loaded)), initial.hash);

  const { optimizer, shard, range, rates, every, steps, frame } = training;
  const weights = Float64Array.from(loaded);
  const adamW = new AdamW(shape, optimizer);
  const near = (ours, theirs) => Math.abs(ours - theirs) <= 1e-8 * Math.max(1, Math.abs(theirs));
  batchesOf(Uint16Array.from(shard), range, shape.context).forEach((tokens, step) => {
    const { loss, gradient } = lossAndGradient(shape, weights, tokens, range.batch);
    const norm = adamW.step(weights, gradient, rates[step]);
    const theirs = steps[step];
    same(`step ${step}: loss`, near(loss, theirs.loss), true);
    same(`step ${step}: gradient's norm`, near(norm, theirs.norm), true);
    same(
      `step ${step}: weights`,
      theirs.weights.every((value, i) => near(weights[i * every], value)),
      true,
    );
  });
  // Frames of two implementations differ where a value lies at the edge between two codes.
  const delta = loaded.map((value, i) => value - Math.fround(weights[i]));
  const sent = decodeFrame(fromHex(frame), delta.length);
  const ours = decodeFrame(encodeFrame({ name: "dense", bits: 4 }, delta), delta.length);
  same("the delta", 1 - cosine(ours, sent) < 1e-4, true);
}

function cosine(a, b) {
  const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) {
  const file = argv[2] ?? join(import.meta.dirname, "../../protocol/vectors.json");
  const { compared, differences } = compare(JSON.parse(readFileSync(file, "utf8")));
  for (const difference of differences) console.error(`differs: ${difference}`);
  console.log(`${compared} compared, ${differences.length} differ`);
  exit(differences.length === 0 ? 0 : 1);
}
