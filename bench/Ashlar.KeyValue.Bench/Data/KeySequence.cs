namespace Ashlar.KeyValue.Bench;

/// <summary>The numbers of the keys that one thread works on, without end.</summary>
abstract class KeySequence
{
    public abstract ulong Next();

    /// <summary>Drawn with replacement: after N draws of N keys, 63 % of them have come up.</summary>
    public static KeySequence Random(long num, ulong seed) => new RandomKeys((ulong)num, new MersenneTwister64(seed));

    /// <summary>Ascending; several threads take turns.</summary>
    public static KeySequence Ascending(int thread, int threads) => new AscendingKeys((ulong)thread, (ulong)threads);

    /// <summary>Each key once in random order; several threads take turns.</summary>
    public static KeySequence Unique(long num, ulong seed, int thread, int threads) =>
        new UniqueKeys(new Permutation((ulong)num, seed), (ulong)num, (ulong)thread, (ulong)threads);

    sealed class RandomKeys(ulong num, MersenneTwister64 random) : KeySequence
    {
        public override ulong Next() => random.Next() % num;
    }

    sealed class AscendingKeys(ulong first, ulong step) : KeySequence
    {
        ulong count;

        public override ulong Next() => first + (step * count++);
    }

    sealed class UniqueKeys(Permutation permutation, ulong num, ulong first, ulong step) : KeySequence
    {
        ulong count;

        public override ulong Next() => permutation.At((first + (step * count++)) % num);
    }
}
