/** What an error says: a thrown value may be anything, and a person or a log gets its text. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
