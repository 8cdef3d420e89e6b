/** Keys of versions to come: whoever writes one gets told so, not that it is unknown. */
export const LATER_KEYS: readonly string[] = ["dashboard", "deploy", "metrics", "tls"];
