using System.Globalization;
using System.Text;

namespace Ashlar.S3;

/// <summary>Sizes of the parts that an object was uploaded in, written as SIZE, or SIZExCOUNT for several alike.</summary>
static class PartSizes
{
    // Who uploads in parts of very many sizes is not told of them again.
    const int MaxLength = 2048;

    public static string? Format(IReadOnlyList<long> sizes)
    {
        var text = new StringBuilder();
        for (var i = 0; i < sizes.Count;)
        {
            var end = i + 1;
            while (end < sizes.Count && sizes[end] == sizes[i]) end++;
            if (text.Length > 0) text.Append(',');
            text.Append(CultureInfo.InvariantCulture, $"{sizes[i]}");
            if (end - i > 1) text.Append(CultureInfo.InvariantCulture, $"x{end - i}");
            i = end;
            if (text.Length > MaxLength) return null;
        }

        return text.ToString();
    }

    /// <summary>The sizes; none where they are not known.</summary>
    public static IReadOnlyList<long> Parse(string? text)
    {
        var sizes = new List<long>();
        foreach (var run in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = run.Split('x');
            if (!long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var size)) return [];
            var count = 1;
            if (parts.Length > 1 && !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out count)) return [];
            if (sizes.Count + (long)count > MultipartLimits.MaxParts) return [];
            sizes.AddRange(Enumerable.Repeat(size, count));
        }

        return sizes;
    }
}
