import { describe, expect, test } from "vitest";
import { environmentOf, headersOf, nameOf, wordsOf } from "../src/features/settings/commandLine";

describe("a command line", () => {
  test.each([
    ["my-agent --acp", ["my-agent", "--acp"]],
    [`  a  "b c" 'd "e' f\\ g `, ["a", "b c", 'd "e', "f g"]],
    [`a"b"'c' "" x`, ["abc", "", "x"]],
    [`"say \\"hi\\" \\n" 'it\\s'`, ['say "hi" \\n', "it\\s"]],
    [`open "to the end`, ["open", "to the end"]],
    ["", []],
    ["   ", []],
    ["$HOME | rm; *", ["$HOME", "|", "rm;", "*"]],
    ["“a b”", ["“a", "b”"]],
  ])("%j has these words", (line, words) => {
    expect(wordsOf(line)).toEqual(words);
  });

  test("its environment is a variable in each line, and nothing else", () => {
    expect(environmentOf("A=1\n\n  B_2=x=y z ")).toEqual({ A: "1", B_2: "x=y z" });
    expect(environmentOf("")).toEqual({});
    expect(environmentOf("A=1\nnot one")).toBeNull();
    expect(environmentOf("2A=1")).toBeNull();
  });

  test("the headers for an address are one in each line, and nothing else", () => {
    expect(headersOf("Authorization: Bearer a=b:c \n\nX-Two:2")).toEqual({ Authorization: "Bearer a=b:c", "X-Two": "2" });
    expect(headersOf("NAME=value")).toBeNull();
    expect(headersOf("Empty:")).toBeNull();
  });

  test("a name for it can be made of whatever it is called", () => {
    expect(nameOf("My Agent 2!")).toBe("my-agent-2");
    expect(nameOf("Réviseur")).toBe("reviseur");
    expect(nameOf("写手")).toBe("agent");
    expect(nameOf("x".repeat(60))).toHaveLength(40);
    expect(nameOf("写手", 24, "server")).toBe("server");
    expect(nameOf(`${"x".repeat(23)} y`, 24)).toBe("x".repeat(23));
  });
});
