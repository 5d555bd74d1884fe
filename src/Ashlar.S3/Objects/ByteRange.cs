using System.Globalization;

namespace Ashlar.S3;

/// <summary>The range of an object that is asked for.</summary>
readonly record struct ByteRange(long Offset, long Length)
{
    /// <summary>Reads a Range header.</summary>
    /// <returns>Null for a header that is none, or asks for several ranges: then all is sent, as HTTP allows.</returns>
    /// <exception cref="S3Exception">It begins behind the end.</exception>
    public static ByteRange? Parse(string? header, long size)
    {
        if (header is null || Split(header) is not { } range) return null;
        var (first, last) = range;
        if (first is null)
        {
            // The last so many bytes.
            var length = Math.Min(last!.Value, size);
            return length == 0 ? throw Unsatisfiable(size) : new(size - length, length);
        }

        if (first >= size) throw Unsatisfiable(size);
        return new(first.Value, Math.Min(last ?? long.MaxValue, size - 1) - first.Value + 1);
    }

    /// <summary>Reads the range of a copy, which has to lie within its source.</summary>
    /// <exception cref="S3Exception">It is none, or does not.</exception>
    public static ByteRange ParseCopy(string header, long size)
    {
        if (Split(header) is not { First: { } first, Last: { } last })
            throw S3Error.InvalidArgument.Because("x-amz-copy-source-range has to be bytes=FIRST-LAST.");
        if (last >= size) throw S3Error.InvalidRange.Because("The range does not lie within the source.");
        return new(first, last - first + 1);
    }

    static (long? First, long? Last)? Split(string header)
    {
        const string unit = "bytes=";
        if (!header.StartsWith(unit, StringComparison.OrdinalIgnoreCase)) return null;
        var range = header[unit.Length..].Trim();
        var dash = range.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0) return null;
        var (first, last) = (Number(range[..dash]), Number(range[(dash + 1)..]));
        if (first is null && (dash != 0 || last is null)) return null;
        if (last is null && dash != range.Length - 1) return null;
        return first > last ? null : (first, last);
    }

    static long? Number(string text)
    {
        if (text.Length == 0 || !text.All(char.IsAsciiDigit)) return null;
        // More than there can be is as much as there can be.
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : long.MaxValue;
    }

    static S3Exception Unsatisfiable(long size) =>
        new(S3Error.InvalidRange, S3Error.InvalidRange.Message)
        {
            Details = [(
            "ActualObjectSize", size.ToString(CultureInfo.InvariantCulture))]
        };
}
