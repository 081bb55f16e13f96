// SPDX-License-Identifier: BSD-3-Clause
// fmap(1), as roff.
#include <string>
#include <string_view>

#include "tool/options/pages.hpp"

namespace fmap::tool {

namespace {

/// A text as roff prints it.
std::string roff(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\')
      result += "\\e";
    else if (c == '-')
      result += "\\-";
    else if (c == '\'')
      result += "\\(aq";
    else if (c == '^')
      result += "\\(ha";
    else if (c == '~')
      result += "\\(ti";
    else
      result += c;
  }
  if (result.starts_with('.')) result.insert(0, "\\&");
  return result;
}

std::string entry(const row& r) {
  std::string term;
  if (r.letter != 0) {
    term = "\\fB" + roff(std::string{"-"} + r.letter) + "\\fR";
    if (r.name == nullptr && r.value != nullptr) term += " \\fI" + roff(r.value) + "\\fR";
  }
  if (r.name != nullptr) {
    if (!term.empty()) term += ", ";
    term += "\\fB" + roff("--" + std::string{r.name}) + "\\fR";
    const std::string value = value_text(r);
    if (!value.empty()) term += "\\fI" + roff(value) + "\\fR";
  }
  return ".TP\n" + term + "\n" + roff(r.help) + "\n";
}

constexpr std::string_view head = R"(.TH FMAP 1 "" "fmap)";

constexpr std::string_view introduction = R"(.SH NAME
fmap \- run a command for each item of an input, several at a time
.SH SYNOPSIS
.nf
\fBfmap\fR [\fIOPTION\fR]... \fICOMMAND\fR [\fIARGUMENT\fR]... [\fB:::\fR \fIITEM\fR...]...
\fBfmap\fR [\fIOPTION\fR]... \fB\-c\fR \fISCRIPT\fR [\fB:::\fR \fIITEM\fR...]...
.fi
.SH DESCRIPTION
Runs \fICOMMAND\fR for each item, at most so many at a time and at most so many items in flight. Outputs are never
mixed: those of an item are written as a whole when it has ended.
.PP
Items are the lines of standard input; the words behind \fB:::\fR, of which several are combined and \fB:::+\fR is
linked to the source before it; or those of the files behind \fB::::\fR and \fB::::+\fR.
.PP
Options end at the first word that is none. Long ones may be shortened. Sizes are written as 65536, 64k, 10m, 1g;
times as 2, 500ms, 2s, 5m, 1h.
.SH OPTIONS
)";

constexpr std::string_view rest = R"(.SH PLACEHOLDERS
They are replaced in each word of the command, for the item dir/a.tar.gz:
.PP
.nf
{}     dir/a.tar.gz       {.}   dir/a.tar
{/}    a.tar.gz           {//}  dir
{/.}   a.tar              {:}   dir/a
{/:}   a                  {+.}  gz
{1} {\-1} {2/.}   columns, with any of the above
{name}           a named column, or a member of a JSON value
{#} {##} {%}     the number of the item, of how many, the slot
.fi
.PP
Without any placeholder the item is appended to the command. In a \fISCRIPT\fR they are quoted by where they stand, and
the item is "$1".
.SH EXIT STATUS
.TP
0
All items succeeded, or there were none.
.TP
2
The command line made no sense; nothing was run.
.TP
123
Some items failed; \fB\-\-exit\fR chooses another.
.TP
124
\fB\-\-halt\fR or \fB\-\-deadline\fR left some items out.
.TP
125
fmap itself could not go on.
.TP
126, 127
The command cannot be run, or was not found.
.TP
128+\fIN\fR
It died of signal \fIN\fR, after tidying up.
.SH SIGNALS
The first SIGINT, SIGTERM or SIGHUP waits for what runs, the second terminates it, the third kills. SIGUSR1 and SIGUSR2
run one more and one fewer at a time. SIGQUIT prints what runs.
.SH ENVIRONMENT
Commands find FMAP_SEQ, FMAP_SLOT, FMAP_ATTEMPT, FMAP_JOBS, FMAP_PID and FMAP_HOST in their environment. NO_COLOR and
TMPDIR are looked at.
.SH EXAMPLES
.nf
find . \-name \(aq*.png\(aq \-print0 | fmap \-0 optipng \-o7
fmap \-k \-c \(aqconvert "$1" "$1".jpg && echo {/.}\(aq ::: *.png
fmap \-\-csv \-\-header curl \-o {name} {url} :::: list.csv
fmap \-\-journal=J \-\-resume \-o OUT ./compute :::: items
.fi
.SH SEE ALSO
.BR xargs (1),
.BR parallel (1),
.BR find (1)
)";

}  // namespace

std::string manual_page() {
  std::string page = std::string{head} + "\" \"User Commands\"\n" + std::string{introduction};
  for (const row& r : table)
    if (r.where != help_page::hidden) page += entry(r);
  return page + std::string{rest};
}

}  // namespace fmap::tool
