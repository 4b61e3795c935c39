import { serverOf } from "../../../protocol/address.ts";
import { SignedPosts } from "../../transport/signed.ts";

/** This page's server. */
export const server = serverOf(location.href);

/**
 * Signs what this page asks of its server, the names' panel as well as sharing: one manifest and one nonce serve both.
 * Fetched with whichever of the two is opened first.
 */
export const posts = new SignedPosts({ server });
