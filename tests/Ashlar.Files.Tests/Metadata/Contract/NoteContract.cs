namespace Ashlar.Files.Tests;

/// <summary>Notes, which change from what was found alone.</summary>
public abstract class NoteContract : MetadataContract
{
    [Fact]
    public async Task A_note_changes_with_the_properties_that_it_tells_of_or_neither_does()
    {
        await Store.CreateDirectoryAsync(Customer, Path("/b"));
        await SetAsync("1", null, "one"u8.ToArray());
        await Assert.ThrowsAsync<NoteChangedException>(() => SetAsync("2", null, "two"u8.ToArray()));
        await Assert.ThrowsAsync<NoteChangedException>(() => SetAsync("2", "other"u8.ToArray(), "two"u8.ToArray()));
        await Assert.ThrowsAsync<ArgumentException>(() => SetAsync("2", "one"u8.ToArray(), new byte[4097]));
        Assert.Equal("1", (await Store.DescribeAsync(Customer, Path("/b")))!.Properties["a"]);
        await SetAsync("2", "one"u8.ToArray(), "one"u8.ToArray());
        await ReopenAsync();
        Assert.Equal("one"u8.ToArray(), await Store.FindNoteAsync("note"));
        await SetAsync("3", "one"u8.ToArray(), null);
        Assert.Null(await Store.FindNoteAsync("note"));
        Assert.Equal("3", (await Store.DescribeAsync(Customer, Path("/b")))!.Properties["a"]);

        Task SetAsync(string value, byte[]? expected, byte[]? note) => Store.SetPropertiesAsync(
            Customer,
            Path("/b"),
            new(false, new Dictionary<string, string?>(StringComparer.Ordinal) { ["a"] = value }, false)
            {
                Note = new("note", Memory(expected), Memory(note)),
            });

        static ReadOnlyMemory<byte>? Memory(byte[]? bytes) => bytes is null ? default(ReadOnlyMemory<byte>?) : bytes.AsMemory();
    }

    [Fact]
    public async Task A_note_changes_only_from_what_it_was_found_to_be()
    {
        Assert.Null(await Store.FindNoteAsync("a"));
        Assert.False(await Store.TryChangeNoteAsync("a", [1], [2]));
        Assert.True(await Store.TryChangeNoteAsync("a", null, [1]));
        Assert.False(await Store.TryChangeNoteAsync("a", null, [2]));
        Assert.False(await Store.TryChangeNoteAsync("a", [], [2]));
        Assert.True(await Store.TryChangeNoteAsync("ab", null, []));
        Assert.True(await Store.TryChangeNoteAsync("a", [1], [2]));
        await ReopenAsync();
        Assert.Equal((byte[])[2], (await Store.FindNoteAsync("a"))!);
        Assert.Empty((await Store.FindNoteAsync("ab"))!);
        Assert.True(await Store.TryChangeNoteAsync("a", [2], null));
        Assert.Null(await Store.FindNoteAsync("a"));
        foreach (var name in (string[])["", new string('x', 256)])
            await Assert.ThrowsAsync<ArgumentException>(() => Store.TryChangeNoteAsync(name, null, [1]));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.TryChangeNoteAsync("a", null, new byte[4097]));
    }

    [Fact]
    public async Task Of_many_who_make_a_note_at_once_one_does()
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Store.TryChangeNoteAsync("a", null, [(byte)i])));
        Assert.Single(made, each => each);
        Assert.Equal((byte[])[(byte)Array.IndexOf(made, true)], (await Store.FindNoteAsync("a"))!);
    }
}
