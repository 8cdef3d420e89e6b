import { describe, expect, test } from "vitest";
import { interpolate } from "../../../src/config/interpolate.ts";

const env = { SET: "value", EMPTY: "", N: "3" };

describe("variables are replaced as Compose does", () => {
  test.each([
    ["plain", "plain"],
    ["${SET}", "value"],
    ["a${SET}b${N}", "avalueb3"],
    ["${EMPTY}", ""],
    ["${SET:-x}", "value"],
    ["${EMPTY:-x}", "x"],
    ["${UNSET:-x}", "x"],
    ["${SET-x}", "value"],
    ["${EMPTY-x}", ""],
    ["${UNSET-x}", "x"],
    ["${UNSET:-}", ""],
    ["${UNSET:-a:-b}", "a:-b"],
    ["${UNSET:-${SET}}", "value"],
    ["${UNSET:-${ALSO:-${N}}}!", "3!"],
    ["${SET:-${UNSET}}", "value"],
    ["${SET:?needed}", "value"],
    ["${EMPTY?needed}", ""],
    ["$SET $pool", "$SET $pool"],
    ["$${SET}", "${SET}"],
    ["$$$$", "$$"],
    ["$", "$"],
    ["}", "}"],
    ["${UNSET:-$$}", "$"],
  ])("%s -> %s", (text, expected) => {
    expect(interpolate(text, env)).toEqual({ ok: true, value: expected });
  });
});

describe("what cannot be replaced is a mistake", () => {
  test.each([
    ["${UNSET}", "${UNSET} is not set: set it, or write ${UNSET:-default}"],
    ["${UNSET:-${ALSO}}", "${ALSO} is not set: set it, or write ${ALSO:-default}"],
    ["${UNSET:?say which}", "${UNSET} is not set: say which"],
    ["${EMPTY:?say which}", "${EMPTY} is empty: say which"],
    ["${EMPTY:?}", "${EMPTY} is empty"],
    ["${UNSET?}", "${UNSET} is not set"],
    ["${constructor}", "${constructor} is not set: set it, or write ${constructor:-default}"],
    ["${SET", "cannot read ${SET: write ${NAME} or ${NAME:-default}, $$ for a $"],
    ["${SET:-x", "${SET has no closing }"],
    ["${UNSET:-${SET:-x}", "${UNSET has no closing }"],
    ["${}", "cannot read ${}: write ${NAME} or ${NAME:-default}, $$ for a $"],
    ["${1A}", "cannot read ${1A}: write ${NAME} or ${NAME:-default}, $$ for a $"],
    ["${SET:+x}", "cannot read ${SET:+x}: write ${NAME} or ${NAME:-default}, $$ for a $"],
    ["${A:-".repeat(20), "variables are nested more than 16 deep"],
  ])("%s", (text, message) => {
    expect(interpolate(text, env)).toEqual({ ok: false, message });
  });
});
