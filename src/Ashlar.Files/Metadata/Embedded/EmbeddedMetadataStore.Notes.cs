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
        var change = Checked(new(name, Memory(expected), Memory(value)));
        cancellationToken.ThrowIfCancellationRequested();
        using var held = await latches.TakeAsync(new LatchSet().Note(name));
        var batch = new WriteBatch();
        if (!TryChange(batch, change)) return false;
        await WriteAsync(batch);
        return true;

        static ReadOnlyMemory<byte>? Memory(byte[]? bytes) => bytes is null ? default(ReadOnlyMemory<byte>?) : bytes.AsMemory();
    }

    static NoteChange Checked(NoteChange change)
    {
        CheckName(change.Name, nameof(change));
        return change.Value?.Length > MaxNoteBytes
            ? throw new ArgumentException($"A note has at most {MaxNoteBytes} bytes.", nameof(change))
            : change;
    }

    /// <summary>Adds what changes a note, if it is as expected. It is latched.</summary>
    bool TryChange(WriteBatch batch, NoteChange change)
    {
        var key = NoteKey(change.Name);
        var found = ReadNote(key);
        var expected = change.Expected.GetValueOrDefault().Span;
        if (found is null != change.Expected is null || !found.AsSpan().SequenceEqual(expected)) return false;
        if (change.Value is not { } value) batch.Delete(key);
        else batch.Put(key, Files.Rows.WriteNote(value.Span));
        return true;
    }

    static byte[] NoteKey(string name) => MetadataKeys.Note(Encoding.UTF8.GetBytes(name));

    byte[]? ReadNote(byte[] key) => store.Get(key) is { } row ? Files.Rows.ReadNote(key, row) : null;
}
