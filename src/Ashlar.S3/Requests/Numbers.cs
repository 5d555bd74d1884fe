using System.Globalization;

namespace Ashlar.S3;

/// <summary>Numbers in queries and headers.</summary>
static class Numbers
{
    /// <summary>Reads a number; more than the most is the most. Null where there is none.</summary>
    /// <exception cref="S3Exception">It is none, or less than the least.</exception>
    public static int? Parse(string? text, string name, int least, int most)
    {
        if (text is null) return null;
        if (text.Length > 0 && text.All(char.IsAsciiDigit))
        {
            var number = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var read) ? read : long.MaxValue;
            if (number >= least) return (int)Math.Min(number, most);
        }

        throw S3Error.InvalidArgument.Because($"{name} has to be a number from {least}.");
    }
}
