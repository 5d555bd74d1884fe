using System.Runtime.CompilerServices;

namespace Ashlar.Storage;

/// <summary>Refuses values of enumerations that have no name: anything but the first would otherwise pass for the last.</summary>
public static class EnumArgument
{
    /// <summary>Refuses such a value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value has no name.</exception>
    public static void RequireDefined<TEnum>(TEnum value, [CallerArgumentExpression(nameof(value))] string name = "")
        where TEnum : struct, Enum
    {
        if (Array.IndexOf(Values<TEnum>.All, value) < 0)
            throw new ArgumentOutOfRangeException(name, value, $"There is no such {typeof(TEnum).Name}.");
    }

    // What Enum.IsDefined goes by is collected as garbage and made anew, which calls that are to make none would pay for.
    static class Values<TEnum>
        where TEnum : struct, Enum
    {
        public static readonly TEnum[] All = Enum.GetValues<TEnum>();
    }
}
