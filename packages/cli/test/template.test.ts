import { expect, it } from "vitest";
import { Template } from "../src/template/template.ts";
import { TemplateError } from "../src/template/template-error.ts";
import { Row } from "../src/template/values.ts";

/*
 * Both tables were recorded from docker 20.10 with these data: `docker images --format` and `docker inspect -f`.
 */

const row = new Row("*formatter.imageContext", {
  ID: () => "aaaaaaaaaaaa",
  Repository: () => "a0",
  Tag: () => "latest",
  Size: () => "0B",
});

const object = {
  Id: "sha256:ab",
  RepoTags: ["x:1"],
  Size: 5,
  Config: { Env: ["A=1"], Labels: {}, Tty: false },
  RootFS: { Type: "layers", Layers: ["sha256:11"] },
};

const onRow: Readonly<Record<string, string>> = {
  // Text, comments, trimming
  "": "",
  "{{.ID}}:{{.Tag}}": "aaaaaaaaaaaa:latest",
  "{{/* c */}}x": "x",
  "a {{- .Tag -}} b": "alatestb",
  '{{ .ID }} {{- " x" }}': "aaaaaaaaaaaa x",
  "{{\n.ID}}": "aaaaaaaaaaaa",
  // Literals
  '{{"a\\tb" | printf "%q"}}': '"a\\tb"',
  "{{`raw`}}": "raw",
  "{{true}} {{1.5}} {{'a'}} {{-5}} {{0x10}} {{1e3}}": "true 1.5 97 -5 16 1000",
  // Pipes, variables, parentheses
  '{{upper "a" | printf "%s-%s" "b"}}': "b-A",
  '{{.ID | len | printf "%d"}}': "12",
  "{{$x := .Tag}}{{$x}}": "latest",
  "{{$x := 1}}{{$x = 2}}{{$x}}": "2",
  "{{(.ID)}}": "aaaaaaaaaaaa",
  "{{with .Tag}}{{$.ID}}{{.}}{{end}}": "aaaaaaaaaaaalatest",
  // Branches
  '{{if eq .Tag "latest"}}L{{else if eq .Tag "1"}}one{{else}}o{{end}}': "L",
  '{{if eq .Tag "x"}}L{{else if eq .Tag "latest"}}one{{else}}o{{end}}': "one",
  '{{if not (eq .Tag "x")}}y{{end}}': "y",
  "{{if .Tag}} a {{- end}}b": " ab",
  '{{with ""}}{{.}}{{else}}no{{end}}': "no",
  "{{with $x := .ID}}{{$x}}{{end}}": "aaaaaaaaaaaa",
  '{{range $i,$e := split "a,b" ","}}{{$i}}={{$e}} {{end}}': "0=a 1=b ",
  '{{range split "a b" " "}}<{{.}}>{{end}}': "<a><b>",
  // Functions
  "{{and 1 0}} {{and 1 2}} {{or 0 3}} {{or 0 false}}": "0 2 3 false",
  "{{and false (index .ID 99)}} {{or true (index .ID 99)}}": "false true",
  '{{eq 1 2 1}} {{ne .ID .Tag}} {{lt "a" "b"}} {{le 1 1}} {{gt 2 1}} {{ge 2 3}} {{not ""}}':
    "true true true true true false true",
  "{{len .ID}} {{index .ID 1}} {{slice .ID 1 3}}": "12 97 aa",
  '{{print 1 2 "x"}} {{println 1 .Tag}}': "1 2x 1 latest\n",
  '{{split "a b" " "}} {{join (split .ID "a") "-"}}': "[a b] ------------",
  '{{lower "AB"}} {{"é" | upper}} {{title "hello wORLD it\'s x-y"}}': "ab É Hello WORLD It'S X-Y",
  '{{pad .Tag 3 5}}|{{pad "" 1 1}}|{{truncate .Tag 3}}|{{truncate "abc" 10}}': "   latest     ||lat|abc",
  '{{json .Tag}} {{json "<a>&"}}': '"latest" "\\u003ca\\u003e\\u0026"',
  // printf
  '{{printf "%q %v %5s|%-5s|%.3s" .Tag .Tag "a" "b" .ID}}': '"latest" latest     a|b    |aaa',
  '{{printf "%05d|%x|%.2f|%t|%c|%%" 42 255 3.14159 true 65}}': "00042|ff|3.14|true|A|%",
  '{{printf "%6.2f|%+d|%-8q|%x|%08.3f" 3.14159 5 "a" "hi" 3.14159}}': '  3.14|+5|"a"     |6869|0003.142',
  '{{printf "%d" "x"}} {{printf "%s"}} {{printf "a" 1}} {{printf "%T" 1}}':
    "%!d(string=x) %!s(MISSING) a%!(EXTRA int=1) int",
};

const onObject: Readonly<Record<string, string>> = {
  "{{.Config.Env}} {{.Size}} {{.Config.Tty}}": "[A=1] 5 false",
  "{{json .RootFS}}": '{"Type":"layers","Layers":["sha256:11"]}',
  "{{index .RootFS.Layers 0}} {{len .RootFS.Layers}}": "sha256:11 1",
  '{{index .Config "Env"}}': "[A=1]",
  "{{with .Config}}{{index .Env 0}}{{end}}": "A=1",
  "{{range .RepoTags}}{{$.Size}}{{.}}{{end}}": "5x:1",
  "{{range $k, $v := .Config.Labels}}{{$k}}{{else}}none{{end}}": "none",
  '{{join .RepoTags ","}}': "x:1",
  '{{(index .RepoTags 0) | upper | printf "%-6s|"}}': "X:1   |",
  "{{if and .Size (eq .Size 5)}}y{{end}}": "y",
};

it.each(Object.entries(onRow))("row: %j", (template, text) => {
  expect(new Template(template).execute(row)).toBe(text);
});

it.each(Object.entries(onObject))("object: %j", (template, text) => {
  expect(new Template(template).execute(object)).toBe(text);
});

const wrongOnRow: Readonly<Record<string, string>> = {
  // Not templates
  "{{.ID": "template: :1: unclosed action",
  "{{.ID}": "template: :1: bad character U+007D '}'",
  "{{.ID}}\n{{if .Tag}}": "template: :2: unexpected EOF",
  "{{if}}x{{end}}": "template: :1: missing value for if",
  "{{end}}": "template: :1: unexpected {{end}}",
  "{{else}}": "template: :1: unexpected {{else}}",
  "{{if .ID}}a{{else}}b{{else}}c{{end}}": "template: :1: expected end; found {{else}}",
  '{{"a}}': "template: :1: unterminated quoted string",
  "{{`a}}": "template: :1: unterminated raw quoted string",
  "{{/* x }}": "template: :1: unclosed comment",
  "{{/* x */ }}": "template: :1: comment ends before closing delimiter",
  "{{,}}": 'template: :1: unexpected "," in command',
  "{{(.ID}}": "template: :1: unclosed left paren",
  "{{12x}}": 'template: :1: bad number syntax: "12x"',
  "{{.ID | 1}}": "template: :1: non executable command in pipeline stage 2",
  "{{foo}}": 'template: :1: function "foo" not defined',
  "{{$y}}": 'template: :1: undefined variable "$y"',
  "{{range $x := .ID}}{{end}}{{$x}}": 'template: :1: undefined variable "$x"',
  // Templates that the data do not fit
  "{{.Foo}}":
    'template: :1:2: executing "" at <.Foo>: can\'t evaluate field Foo in type *formatter.imageContext',
  "a{{.ID}}\n{{.Foo}}":
    'template: :2:2: executing "" at <.Foo>: can\'t evaluate field Foo in type *formatter.imageContext',
  "{{.ID.x}}": 'template: :1:5: executing "" at <.ID.x>: can\'t evaluate field x in type string',
  "{{.ID .Tag}}": 'template: :1:2: executing "" at <.ID>: wrong number of args for ID: want 0 got 1',
  "{{range .ID}}x{{end}}": 'template: :1:8: executing "" at <.ID>: range can\'t iterate over aaaaaaaaaaaa',
  "{{lower}}": 'template: :1:2: executing "" at <lower>: wrong number of args for lower: want 1 got 0',
  "{{index}}":
    'template: :1:2: executing "" at <index>: wrong number of args for index: want at least 1 got 0',
  "{{index .ID 99}}":
    'template: :1:2: executing "" at <index .ID 99>: error calling index: index out of range: 99',
  "{{eq .ID 1}}":
    'template: :1:2: executing "" at <eq .ID 1>: error calling eq: incompatible types for comparison',
  "{{lt 1 2.5}}":
    'template: :1:2: executing "" at <lt 1 2.5>: error calling lt: incompatible types for comparison',
  "{{len 3}}": 'template: :1:2: executing "" at <len 3>: error calling len: len of type int',
  '{{join .ID ","}}':
    'template: :1:7: executing "" at <.ID>: wrong type for value; expected []string; got string',
  "{{nil}}": 'template: :1:2: executing "" at <nil>: nil is not a command',
};

const wrongOnObject: Readonly<Record<string, string>> = {
  "{{.Foo}}": 'template: :1:2: executing "" at <.Foo>: map has no entry for key "Foo"',
  "{{.Config.Nope}}": 'template: :1:9: executing "" at <.Config.Nope>: map has no entry for key "Nope"',
  "{{index .RootFS.Layers 5}}":
    'template: :1:2: executing "" at <index .RootFS.Layers 5>: error calling index: index out of range: 5',
  '{{index .RepoTags "a"}}':
    'template: :1:2: executing "" at <index .RepoTags "a">: error calling index: cannot index slice/array with type string',
  '{{"x" | .Id}}': 'template: :1:8: executing "" at <.Id>: Id is not a method but has arguments',
};

it.each(Object.entries(wrongOnRow))("row, wrong: %j", (template, problem) => {
  expect(() => new Template(template).execute(row)).toThrow(new TemplateError(problem));
});

it.each(Object.entries(wrongOnObject))("object, wrong: %j", (template, problem) => {
  expect(() => new Template(template).execute(object)).toThrow(new TemplateError(problem));
});

it("never looks beyond an object's own keys", () => {
  expect(() => new Template("{{.constructor}}").execute(object)).toThrow(/no entry for key "constructor"/);
  expect(() => new Template("{{.toString}}").execute(row)).toThrow(/can't evaluate field toString/);
  expect(new Template('{{index .Config "__proto__"}}').execute(object)).toBe("<no value>");
});
