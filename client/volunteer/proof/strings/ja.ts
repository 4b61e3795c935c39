import { formatCount, formatPart } from "../../../ui/format.ts";
import type { ProofWords } from "./en.ts";

export const words: ProofWords = {
  waiting: "あなたの作業がモデルのバージョンに入ると、その証明がここに現れます。",
  proven: (version) => `証明済み：あなたの作業はバージョン ${formatCount(version)} に入っています。`,
  meaning: ({ version, place, of, share }) =>
    `サーバーは、バージョン ${formatCount(version)} が ${formatCount(of)} 個のデルタから作られ、あなたのものが ${formatCount(place)} 番目で、` +
    `重みの ${formatPart(share)} を占めることに署名しました。このページはその署名を確かめました。各バージョンの記録は一つ前の記録を` +
    "示しているので、サーバーがこっそり取り消すことはできません。",
  delta: "あなたのデルタの指紋（SHA-256）：",
  record: (version) => `署名されたバージョン ${formatCount(version)} の記録`,
  broken:
    "あなたの作業についてのサーバーの証明は、正しくありませんでした。署名がこのプロジェクトの始まりのものと違うか、別の作業を示しています。" +
    "やめることを検討してください。",
};
