using System.Security.Cryptography;

namespace Ashlar.Storage;

/// <summary>Randomness from the operating system.</summary>
public sealed class SystemEntropy : IEntropySource
{
    /// <summary>The one instance.</summary>
    public static SystemEntropy Instance { get; } = new();

    /// <inheritdoc />
    public void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}
