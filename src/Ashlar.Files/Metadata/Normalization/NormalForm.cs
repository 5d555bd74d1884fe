using System.Runtime.InteropServices;
using System.Text;

namespace Ashlar.Files;

/// <summary>
/// Normal form C of Unicode: of the ways to write a text that look the same the one with the fewest marks. Names have it, so that what
/// looks like one name is one.
/// </summary>
static class NormalForm
{
    // Nothing in front of the first combining mark can be written in another way that is in normal form.
    const char FirstMark = '\u0300';

    // Syllables of Hangul are reckoned: leading consonant, vowel, and perhaps a trailing consonant.
    const int Leading = 0x1100, Vowel = 0x1161, Trailing = 0x11A7, Syllable = 0xAC00;
    const int Leadings = 19, Vowels = 21, Trailings = 28, Syllables = Leadings * Vowels * Trailings;

    /// <summary>Whether a text is in normal form.</summary>
    public static bool Has(string text) =>
        !text.AsSpan().ContainsAnyExceptInRange('\0', (char)(FirstMark - 1)) || string.Equals(Of(text), text, StringComparison.Ordinal);

    /// <summary>The normal form of a text, in which every surrogate has its other half.</summary>
    public static string Of(string text)
    {
        var points = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes()) Decompose(rune.Value, points);
        var all = CollectionsMarshal.AsSpan(points);
        Sort(all);
        var composed = new StringBuilder(text.Length);
        foreach (var point in Compose(all)) composed.Append(new Rune(point));
        return composed.ToString();
    }

    static void Decompose(int point, List<int> into)
    {
        if (point - Syllable is >= 0 and < Syllables and var index)
        {
            into.Add(Leading + index / (Vowels * Trailings));
            into.Add(Vowel + index / Trailings % Vowels);
            if (index % Trailings > 0) into.Add(Trailing + index % Trailings);
            return;
        }

        var parts = CanonicalForms.All.PartsOf(point);
        if (parts.IsEmpty) into.Add(point);
        foreach (var part in parts) Decompose(part, into);
    }

    // Marks between two characters that begin anew, by their class; those of one class stay as they are.
    static void Sort(Span<int> points)
    {
        var table = CanonicalForms.All;
        for (var i = 1; i < points.Length; i++)
        {
            var (point, order) = (points[i], table.ClassOf(points[i]));
            var at = i;
            for (; order > 0 && at > 0 && table.ClassOf(points[at - 1]) > order; at--) points[at] = points[at - 1];
            points[at] = point;
        }
    }

    // Each mark goes into the last character that begins anew, if they make one and nothing between them keeps it out.
    static ReadOnlySpan<int> Compose(Span<int> points)
    {
        var table = CanonicalForms.All;
        var (length, starter, lastClass) = (0, -1, 0);
        foreach (var point in points)
        {
            var order = table.ClassOf(point);
            var isNext = starter == length - 1;
            if (starter >= 0 && (isNext || (lastClass > 0 && lastClass < order)) && ComposeTwo(points[starter], point) is { } composite)
            {
                points[starter] = composite;
                continue;
            }

            if (order == 0) starter = length;
            lastClass = order;
            points[length++] = point;
        }

        return points[..length];
    }

    static int? ComposeTwo(int first, int second)
    {
        if (first - Leading is >= 0 and < Leadings and var leading && second - Vowel is >= 0 and < Vowels and var vowel)
            return Syllable + (leading * Vowels + vowel) * Trailings;
        if (first - Syllable is >= 0 and < Syllables and var syllable && syllable % Trailings == 0
            && second - Trailing is > 0 and < Trailings and var trailing) return first + trailing;
        return CanonicalForms.All.Compose(first, second);
    }
}
