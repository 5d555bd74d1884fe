namespace Ashlar.Planning;

/// <summary>Arithmetic that names the input that took it too far.</summary>
static class Reckoning
{
    /// <summary>Whole bytes, rounded up, of a product. The factors may be fractions.</summary>
    /// <param name="input">The last factor: the one that made it too large, if it is.</param>
    /// <param name="factors">None is negative.</param>
    public static long Bytes(string input, params ReadOnlySpan<decimal> factors)
    {
        try
        {
            var product = 1m;
            foreach (var factor in factors) product *= factor;
            // 2/3 * 3 is a hair above 2, which is not 3 bytes.
            product = decimal.Ceiling(decimal.Round(product, 6));
            if (product <= Numeral.Largest) return (long)product;
        }
        catch (OverflowException)
        {
            // Larger than 2^96, so larger than 2^63.
        }

        throw new PlanException(input, "together with the others this makes more than 8EiB - 1 (2^63 - 1 bytes)");
    }

    /// <summary>How many there are in a span of time.</summary>
    public static decimal Count(string input, Rate rate, TimeSpan span)
    {
        try
        {
            if (rate.In(span) is var count and <= Numeral.Largest) return count;
        }
        catch (OverflowException)
        {
            // Larger than 2^96, so larger than 2^63.
        }

        throw new PlanException(input, "together with the rate this makes more than 2^63 - 1 records");
    }

    public static long Sum(string input, params ReadOnlySpan<long> parts)
    {
        Int128 sum = 0;
        foreach (var part in parts) sum += part;
        return sum <= Numeral.Largest
            ? (long)sum
            : throw new PlanException(input, "the total is more than 8EiB - 1 (2^63 - 1 bytes)");
    }

    /// <summary>Things that each have so many parts.</summary>
    public static long Product(string input, long things, long parts) =>
        (Int128)things * parts is var product && product <= Numeral.Largest ? (long)product : throw TooMany(input);

    /// <summary>How many of a size hold an amount; at least 1.</summary>
    public static long CeilingDivide(string input, decimal amount, decimal size)
    {
        try
        {
            // The remainder is exact, where a quotient would be rounded: one entry too many is a shard more.
            var rest = amount % size;
            var count = decimal.Round((amount - rest) / size) + (rest > 0 ? 1 : 0);
            if (count <= Numeral.Largest) return Math.Max(1, (long)count);
        }
        catch (ArithmeticException)
        {
            // Larger than 2^96, or a size of which nothing is left beside a large one.
        }

        throw TooMany(input);
    }

    /// <summary>How many that can do <paramref name="each"/> do <paramref name="all"/>; at least 1.</summary>
    public static long CeilingDivide(string input, Rate all, Rate each)
    {
        // Most rates are of one period, which then takes no part in it.
        if (all.PeriodSeconds == each.PeriodSeconds) return CeilingDivide(input, all.Count, each.Count);
        try
        {
            return CeilingDivide(input, all.Count * each.PeriodSeconds, each.Count * all.PeriodSeconds);
        }
        catch (OverflowException)
        {
            throw TooMany(input);
        }
    }

    /// <summary>A plan, or that its numbers are too far apart for one.</summary>
    /// <param name="input">What to blame where nothing smaller is known.</param>
    /// <param name="plan">Reckons it.</param>
    public static T Guard<T>(string input, Func<T> plan)
    {
        try
        {
            return plan();
        }
        catch (ArithmeticException)
        {
            throw new PlanException(input, "together with the others this is too large, or too small, to plan with");
        }
    }

    public static void Require(bool condition, string input, string message)
    {
        if (!condition) throw new PlanException(input, message);
    }

    static PlanException TooMany(string input) => new(input, "more than 2^63 - 1 of them are needed");
}
