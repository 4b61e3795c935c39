/** What a volunteer of the crowd tells its parent. */
export type Told =
  | { readonly type: "receipt"; readonly ms: number }
  | { readonly type: "refused"; readonly code: string };
