// Documents in two languages say the same: what is code, a link, a picture or a table has
// to agree, section by section. Links and commands lead to what exists.

package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// translated are the documents that have a Korean translation beside them, X.ko.md.
var translated = []string{"README.md", "docs/scavenger.md"}

func TestTranslations(t *testing.T) {
	for _, name := range translated {
		korean := koreanName(name)
		text, translation := readFile(t, name), readFile(t, korean)
		for _, fault := range translationFaults(text, translation) {
			t.Errorf("%s and %s: %s", name, korean, fault)
		}
		for from, to := range map[string]string{text: path.Base(korean), translation: path.Base(name)} {
			if !slices.Contains(links(from), to) {
				t.Errorf("%s and its translation: no link to %s", name, to)
			}
		}
		for i, s := range sections(translation) {
			if s.prose != "" && !strings.ContainsFunc(s.prose, isHangul) {
				t.Errorf("%s: section %d is not in Korean", korean, i+1)
			}
		}
	}
	found, err := filepath.Glob("docs/*.ko.md")
	if err != nil || len(found)+1 != len(translated) {
		t.Errorf("the translations are %q (%v), and this test knows %d of %q", found, err, len(translated)-1, translated)
	}
}

// TestTranslationFaults checks what TestTranslations rests on.
func TestTranslationFaults(t *testing.T) {
	const text = "# A\n\nUse `x`, [see](b.md#c).\n\n![p](q.png)\n\n```sh\nrun me\n```\n\n## B\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n- item\n"
	for old, change := range map[string]string{
		"":            "",
		"see":         "보라",
		"Use `x`":     "Use `y`",
		"b.md#c":      "b.md",
		"q.png":       "r.png",
		"run me":      "run it",
		"## B":        "# B",
		"| 1 | 2 |\n": "",
		"| 1 | 2 |":   "| 1 |",
		"- item\n":    "",
		"```\n":       "```\n\n    more\n",
	} {
		faults := translationFaults(text, strings.Replace(text, old, change, 1))
		if same := old == "" || old == "see"; (len(faults) == 0) != same {
			t.Errorf("%q for %q: %q", change, old, faults)
		}
	}
}

// TestLinks checks that the links of documents lead to files and headings of this project.
func TestLinks(t *testing.T) {
	files, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "README.md", "README.ko.md", "CONTRIBUTING.md", "SECURITY.md")
	checked := 0
	for _, file := range files {
		for _, link := range links(readFile(t, file)) {
			if strings.Contains(link, "://") {
				continue
			}
			checked++
			target, heading, _ := strings.Cut(link, "#")
			name := path.Join(path.Dir(filepath.ToSlash(file)), target)
			if target == "" {
				name = file
			}
			if _, err := os.Stat(filepath.FromSlash(name)); err != nil {
				t.Errorf("%s: link to %s: %v", file, link, err)
			} else if heading != "" && !slices.Contains(anchors(readFile(t, name)), heading) {
				t.Errorf("%s: link to %s, which has no such heading", file, link)
			}
		}
	}
	if checked < 100 {
		t.Errorf("%d links found: are they still where this test looks?", checked)
	}
}

// TestBesideAgents checks that each cell of the comparison of agents says what it rests on,
// and that tests which the page names exist.
func TestBesideAgents(t *testing.T) {
	text := readFile(t, "docs/scavenger.md")
	tests := testNames(t, "Test", []string{"./..."})
	named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(text, -1)
	for _, m := range named {
		if !slices.Contains(tests, m[1]) {
			t.Errorf("there is no %s", m[1])
		}
	}
	evidence := regexp.MustCompile("`Test\\w+`|`eab208f`|\\(2026-")
	all := sections(text)
	cells := 0
	for line := range strings.Lines(all[len(all)-1].prose) {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| |") || strings.HasPrefix(line, "| ---") {
			continue
		}
		for _, cell := range strings.Split(strings.Trim(line, "|\n"), "|")[1:] {
			cells++
			if !evidence.MatchString(cell) {
				t.Errorf("a cell without evidence:%s", cell)
			}
		}
	}
	if cells < 30 || len(named) < 20 {
		t.Errorf("%d cells and %d tests found: are they still where this test looks?", cells, len(named))
	}
}

func koreanName(name string) string { return strings.TrimSuffix(name, ".md") + ".ko.md" }

func isHangul(r rune) bool { return unicode.Is(unicode.Hangul, r) }

// A section is a part of a document up to the next heading.
type section struct {
	level int      // of its heading; 0 before the first
	code  []string // blocks, in their order
	marks []string // inline code, links and pictures, sorted
	rows  []int    // cells of each row of tables, in their order
	items int      // of lists
	prose string
}

// translationFaults returns in what two documents differ that no language explains.
func translationFaults(text, translation string) (faults []string) {
	a, b := sections(text), sections(translation)
	if len(a) != len(b) {
		return []string{fmt.Sprintf("%d sections and %d", len(a), len(b))}
	}
	for i := range a {
		differ := func(what string, x, y any) {
			if fmt.Sprint(x) != fmt.Sprint(y) {
				faults = append(faults, fmt.Sprintf("section %d has %s %q and %q", i+1, what, x, y))
			}
		}
		differ("the level", a[i].level, b[i].level)
		differ("code", a[i].code, b[i].code)
		differ("in prose", a[i].marks, b[i].marks)
		differ("rows", a[i].rows, b[i].rows)
		differ("items", a[i].items, b[i].items)
	}
	return faults
}

var (
	headingLine = regexp.MustCompile(`^(#+) (.*)`)
	inlineCode  = regexp.MustCompile("`[^`]+`")
	linkTarget  = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	listItem    = regexp.MustCompile(`^(-|\d+\.) `)
	codeIndent  = regexp.MustCompile(`^(    |\t)`)
)

// sections splits a document at its headings.
func sections(text string) []section {
	list := []section{{}}
	for _, b := range blocks(text) {
		s := &list[len(list)-1]
		if b.code {
			s.code = append(s.code, b.text)
			continue
		}
		if h := headingLine.FindStringSubmatch(b.text); h != nil {
			list = append(list, section{level: len(h[1])})
			s = &list[len(list)-1]
		}
		s.add(b.text)
	}
	for _, s := range list {
		slices.Sort(s.marks)
	}
	return list
}

// add reads a paragraph, a list or a table.
func (s *section) add(text string) {
	s.prose += text + "\n"
	s.marks = append(s.marks, inlineCode.FindAllString(text, -1)...)
	for _, link := range links(text) {
		// Each document leads to documents in its language, and to the other language. Its
		// own headings are translated: TestLinks looks for them.
		if strings.HasPrefix(link, "#") {
			link = "#"
		}
		s.marks = append(s.marks, strings.Replace(link, ".ko.md", ".md", 1))
	}
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "|"):
			s.rows = append(s.rows, strings.Count(line, "|"))
		case listItem.MatchString(line):
			s.items++
		}
	}
}

// links returns the targets of links and pictures, but for those in code.
func links(text string) (targets []string) {
	for _, b := range blocks(text) {
		if b.code {
			continue
		}
		for _, m := range linkTarget.FindAllStringSubmatch(inlineCode.ReplaceAllString(b.text, ""), -1) {
			targets = append(targets, m[1])
		}
	}
	return targets
}

// anchors returns the names that a document's headings have in links to them.
func anchors(text string) (names []string) {
	for _, b := range blocks(text) {
		h := headingLine.FindStringSubmatch(b.text)
		if b.code || h == nil {
			continue
		}
		names = append(names, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, h[2]))
	}
	return names
}

// A block is what stands between blank lines: code, or anything else.
type block struct {
	code bool
	text string
}

// blocks splits a document. Blank lines in code do not end it; a code block has its fence
// with it, or is indented and follows a blank line.
func blocks(text string) (list []block) {
	open, fence := false, ""
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		last := len(list) - 1
		trimmed := strings.TrimSpace(line)
		switch {
		case fence != "":
			list[last].text += "\n" + line
			if trimmed == fence {
				open, fence = false, ""
			}
		case strings.HasPrefix(trimmed, "```"):
			list, open, fence = append(list, block{true, line}), false, "```"
		case trimmed == "":
			open = false
		case codeIndent.MatchString(line) && !open:
			if last >= 0 && list[last].code && codeIndent.MatchString(list[last].text) {
				list[last].text += "\n" + line
			} else {
				list = append(list, block{true, line})
			}
		case open && !headingLine.MatchString(line):
			list[last].text += "\n" + line
		default:
			list, open = append(list, block{false, line}), !headingLine.MatchString(line)
		}
	}
	return list
}
