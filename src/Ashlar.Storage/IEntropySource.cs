namespace Ashlar.Storage;

/// <summary>The only door to chance, so that a simulation can replay it from a seed.</summary>
public interface IEntropySource
{
    /// <summary>Fills <paramref name="destination"/> with bytes that an outsider cannot predict.</summary>
    void Fill(Span<byte> destination);
}
