namespace Ashlar.S3;

/// <summary>A pattern of a policy: a star is any characters, a question mark one.</summary>
/// <remarks>
/// What stands in front of the first star and behind the last is compared in place, and what is between is searched for once, from left
/// to right: no more steps than the pattern has characters times those of the text.
/// </remarks>
sealed class ResourcePattern(string pattern)
{
    readonly string[] pieces = pattern.Split('*');

    public bool Matches(ReadOnlySpan<char> text)
    {
        string first = pieces[0], last = pieces[^1];
        if (pieces.Length == 1) return text.Length == first.Length && IsAt(first, text);
        if (text.Length < first.Length + last.Length || !IsAt(first, text) || !IsAt(last, text[^last.Length..])) return false;
        text = text[first.Length..^last.Length];
        for (var i = 1; i < pieces.Length - 1; i++)
        {
            var at = IndexOf(pieces[i], text);
            if (at < 0) return false;
            text = text[(at + pieces[i].Length)..];
        }

        return true;
    }

    static int IndexOf(string piece, ReadOnlySpan<char> text)
    {
        if (!piece.Contains('?', StringComparison.Ordinal)) return text.IndexOf(piece, StringComparison.Ordinal);
        for (var at = 0; at + piece.Length <= text.Length; at++)
        {
            if (IsAt(piece, text[at..])) return at;
        }

        return -1;
    }

    static bool IsAt(string piece, ReadOnlySpan<char> text)
    {
        if (text.Length < piece.Length) return false;
        for (var i = 0; i < piece.Length; i++)
        {
            if (piece[i] != '?' && piece[i] != text[i]) return false;
        }

        return true;
    }
}
