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
        if (!Enum.IsDefined(value)) throw new ArgumentOutOfRangeException(name, value, $"There is no such {typeof(TEnum).Name}.");
    }
}
