namespace Ashlar.Files.Tests;

/// <summary>Notes, which change from what was found alone.</summary>
public abstract class NoteContract : MetadataContract
{
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
