namespace Ashlar.Planning;

/// <summary>What a prefix of bytes means. They differ by 10 % at TB and 13 % at PB, so one plan never mixes them.</summary>
public enum UnitSystem
{
    /// <summary>Powers of 1024: KiB, MiB, GiB, TiB, PiB, EiB.</summary>
    Binary = 0,

    /// <summary>Powers of 1000: KB, MB, GB, TB, PB, EB.</summary>
    Decimal,
}
