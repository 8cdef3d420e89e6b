/** What the exit status of every command means; scripts rely on it. */
export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, rolledBack: 4 } as const;
