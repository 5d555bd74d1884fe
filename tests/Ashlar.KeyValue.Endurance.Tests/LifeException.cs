namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>A life ended as none may; says how to see it again.</summary>
sealed class LifeException(ulong seed, int life, string where, Exception cause)
    : Exception($"Life {life}{where}, replay with ASHLAR_SEED={seed}: {cause.Message}", cause);
