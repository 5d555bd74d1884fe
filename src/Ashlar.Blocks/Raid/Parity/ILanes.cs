using System.Diagnostics.CodeAnalysis;

namespace Ashlar.Blocks.Raid;

/// <summary>As many bytes as are calculated with at once, each an element of <see cref="GaloisField"/>.</summary>
[SuppressMessage("Design", "CA1000", Justification = "Arithmetic of a type parameter.")]
interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Whether this processor does it.</summary>
    static abstract bool IsSupported { get; }

    /// <summary>Number of bytes.</summary>
    static abstract int Width { get; }

    static abstract TSelf Load(ref readonly byte source);

    static abstract void Store(TSelf value, ref byte target);

    static abstract TSelf Add(TSelf a, TSelf b);

    /// <summary>Times the generator.</summary>
    static abstract TSelf Double(TSelf value);

    static abstract TSelf Multiply(TSelf value, Factor factor);
}
