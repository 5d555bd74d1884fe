namespace Ashlar.Blocks;

/// <summary>Logical block address: index of a block within a device, counted from 0.</summary>
public readonly record struct Lba(long Value) : IComparable<Lba>
{
    /// <summary>The first block.</summary>
    public static Lba Zero => default;

    /// <summary>The address <paramref name="count"/> blocks further on.</summary>
    public static Lba operator +(Lba start, long count) => new(checked(start.Value + count));

    /// <summary>How many blocks lie between two addresses.</summary>
    public static long operator -(Lba end, Lba start) => end.Value - start.Value;

    /// <summary>Orders addresses.</summary>
    public static bool operator <(Lba left, Lba right) => left.Value < right.Value;

    /// <summary>Orders addresses.</summary>
    public static bool operator >(Lba left, Lba right) => left.Value > right.Value;

    /// <summary>Orders addresses.</summary>
    public static bool operator <=(Lba left, Lba right) => left.Value <= right.Value;

    /// <summary>Orders addresses.</summary>
    public static bool operator >=(Lba left, Lba right) => left.Value >= right.Value;

    /// <summary>Where the block starts on a device of this block size, in bytes.</summary>
    public long ToOffsetBytes(int blockSizeBytes) => checked(Value * blockSizeBytes);

    /// <inheritdoc />
    public int CompareTo(Lba other) => Value.CompareTo(other.Value);

    /// <inheritdoc />
    public override string ToString() => Value.ToString();
}
