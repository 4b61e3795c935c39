// `npm start` runs this first. Any Node reads this file too; on one that is too old, the program itself says so next.
if (Number(process.versions.node.split(".")[0]) >= 24) import("../client/build/build.ts");
