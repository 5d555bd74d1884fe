namespace Ashlar.Files;

/// <summary>
/// Short values that those who serve files keep for the whole store, and agree on: each changes only from what it was known to be.
/// </summary>
public interface INotes
{
    /// <summary>A note; null if there is none.</summary>
    /// <param name="name">1 to 255 bytes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    Task<byte[]?> FindNoteAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Changes a note, if it is what the caller has found.</summary>
    /// <param name="name">1 to 255 bytes.</param>
    /// <param name="expected">What it has to be; null for none.</param>
    /// <param name="value">What it becomes, at most 4 KiB; null for none.</param>
    /// <param name="cancellationToken">Ends the wait, not the transaction.</param>
    /// <returns>Whether it was as expected; else nothing has changed.</returns>
    /// <exception cref="ArgumentException">The name is empty or too long, or the value is too long.</exception>
    Task<bool> TryChangeNoteAsync(string name, byte[]? expected, byte[]? value, CancellationToken cancellationToken = default);
}
