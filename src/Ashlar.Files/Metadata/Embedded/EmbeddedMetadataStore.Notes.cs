using System.Text;
using Ashlar.KeyValue;

namespace Ashlar.Files;

public sealed partial class EmbeddedMetadataStore
{
    const int MaxNoteBytes = 4096;

    /// <inheritdoc />
    public Task<byte[]?> FindNoteAsync(string name, CancellationToken cancellationToken = default)
    {
        CheckName(name, nameof(name));
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(ReadNote(NoteKey(name)));
    }

    /// <inheritdoc />
    public async Task<bool> TryChangeNoteAsync(
        string name, byte[]? expected, byte[]? value, CancellationToken cancellationToken = default)
    {
        CheckName(name, nameof(name));
        if (value?.Length > MaxNoteBytes) throw new ArgumentException($"A note has at most {MaxNoteBytes} bytes.", nameof(value));
        cancellationToken.ThrowIfCancellationRequested();
        using var held = await latches.TakeAsync(new LatchSet().Note(name));
        var key = NoteKey(name);
        var found = ReadNote(key);
        if ((found is null) != (expected is null) || !found.AsSpan().SequenceEqual(expected)) return false;
        var batch = new WriteBatch();
        if (value is null) batch.Delete(key);
        else batch.Put(key, Files.Rows.WriteNote(value));
        await WriteAsync(batch);
        return true;
    }

    static byte[] NoteKey(string name) => MetadataKeys.Note(Encoding.UTF8.GetBytes(name));

    byte[]? ReadNote(byte[] key) => store.Get(key) is { } row ? Files.Rows.ReadNote(key, row) : null;
}
