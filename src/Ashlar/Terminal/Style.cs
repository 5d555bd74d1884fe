namespace Ashlar.CommandLine;

/// <summary>The few ways in which text stands out; plain where colour is not wanted.</summary>
readonly record struct Style(bool IsColoured)
{
    public string Bold(string text) => Wrap(text, "1");

    public string Dim(string text) => Wrap(text, "2");

    public string Good(string text) => Wrap(text, "1;32");

    public string Warning(string text) => Wrap(text, "1;33");

    public string Bad(string text) => Wrap(text, "1;31");

    string Wrap(string text, string code) => IsColoured ? $"\e[{code}m{text}\e[0m" : text;
}
