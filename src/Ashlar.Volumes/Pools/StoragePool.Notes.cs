using Ashlar.KeyValue;

namespace Ashlar.Volumes;

public sealed partial class StoragePool
{
    /// <summary>What is kept beside a volume or snapshot; null where there is nothing of that kind.</summary>
    /// <param name="owner">Identity of the volume or snapshot.</param>
    /// <param name="kind">1 to 32 ASCII characters.</param>
    public byte[]? ReadNote(Guid owner, string kind)
    {
        ThrowIfClosed();
        return Store.Get(NoteFormat.Key(owner, kind)) is { } value ? NoteFormat.ReadValue(value, Name) : null;
    }

    /// <summary>Keeps something beside a volume or snapshot, or forgets it; durable when the call returns.</summary>
    /// <param name="owner">Identity of the volume or snapshot.</param>
    /// <param name="kind">1 to 32 ASCII characters.</param>
    /// <param name="content">What it is to be; null to forget it.</param>
    /// <exception cref="Blocks.DeviceFullException">There is no room to write it down.</exception>
    public ValueTask WriteNoteAsync(Guid owner, string kind, byte[]? content) => WriteNotesAsync([(owner, kind, content)]);

    /// <summary>The notes of a kind, by owner.</summary>
    public IReadOnlyList<(Guid Owner, byte[] Content)> ListNotes(string kind)
    {
        ThrowIfClosed();
        var found = new List<(Guid, byte[])>();
        using var cursor = Store.Scan(KeyRange.Prefix(NoteFormat.All));
        while (cursor.MoveNext())
        {
            var key = NoteFormat.ReadKey(cursor.Key, Name);
            if (key.Kind == kind) found.Add((key.Owner, NoteFormat.ReadValue(cursor.Value, Name)));
        }

        return found;
    }

    /// <summary>All notes there are.</summary>
    internal IReadOnlyList<(Guid Owner, string Kind)> ListNotes()
    {
        var found = new List<(Guid, string)>();
        using var cursor = Store.Scan(KeyRange.Prefix(NoteFormat.All));
        while (cursor.MoveNext()) found.Add(NoteFormat.ReadKey(cursor.Key, Name));
        return found;
    }

    /// <summary>Writes several at once: all of them, or none.</summary>
    internal async ValueTask WriteNotesAsync(IReadOnlyList<(Guid Owner, string Kind, byte[]? Content)> notes)
    {
        ThrowIfClosed();
        var batch = new WriteBatch();
        foreach (var (owner, kind, content) in notes)
        {
            if (content is null) batch.Delete(NoteFormat.Key(owner, kind));
            else batch.Put(NoteFormat.Key(owner, kind), NoteFormat.ToValue(content));
        }

        await Parts.Metadata.WriteAsync(batch, Durability.Sync, mayUseReserve: notes.All(each => each.Content is null));
    }
}
