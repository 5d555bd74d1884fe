using System.Text;
using Ashlar.Files;
using Ashlar.Simulation;

namespace Ashlar.Server.Tests.Files;

/// <summary>How far upkeep has come outlives the server, and is told once.</summary>
public sealed class UpkeepJournalTests : INotes
{
    static readonly TimeSpan Every = TimeSpan.FromDays(7);
    static readonly CustomerBlock Block = new(new(3), new(ContentHash.Of("content"u8), 0xAA));

    readonly SimulatedClock clock = new();
    readonly Dictionary<string, byte[]> notes = new(StringComparer.Ordinal);

    [Fact]
    public async Task What_costs_much_is_due_one_interval_after_it_was_first_heard_of_whenever_the_server_starts()
    {
        for (var day = 0; day < 7; day++)
        {
            Assert.False(await New().IsDueAsync(default));
            clock.Advance(TimeSpan.FromDays(1));
        }

        Assert.True(await New().IsDueAsync(default));
        await New().EndAsync(default); // Of one that has not looked: nothing is changed.
        Assert.True(await New().IsDueAsync(default));
        var journal = New();
        await journal.LoadAsync(default);
        await journal.EndAsync(default);
        Assert.False(await New().IsDueAsync(default));
    }

    [Fact]
    public async Task It_goes_on_where_it_was_and_not_more_often_than_now_and_then_is_that_written()
    {
        var journal = New();
        await journal.LoadAsync(default);
        await journal.PassAsync(new(0xA1), Block, default);
        Assert.Null((await New().LoadAsync(default)).After);
        clock.Advance(TimeSpan.FromSeconds(10));
        await journal.PassAsync(new(0xA1), Block, default);
        var found = await New().LoadAsync(default);
        Assert.Equal((new NodeId(0xA1), Block), (found.Node, found.After));
        Assert.True(await New().IsDueAsync(default));
        await journal.EndAsync(default);
        Assert.Equal(new UpkeepNote(clock.GetUtcNow() + Every), await New().LoadAsync(default));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whoever_does_not_want_it_now_has_peace_for_an_interval(bool isUnwanted)
    {
        var journal = New();
        await journal.LoadAsync(default);
        await journal.StopAsync(null, Block, isUnwanted);
        Assert.Equal(!isUnwanted, await New().IsDueAsync(default));
        clock.Advance(Every);
        Assert.True(await New().IsDueAsync(default));
        Assert.Equal(Block, (await New().LoadAsync(default)).After);
    }

    [Fact]
    public async Task Of_two_servers_the_one_that_came_later_changes_nothing()
    {
        var (first, second) = (New(), New());
        await first.LoadAsync(default);
        await second.LoadAsync(default);
        await first.StopAsync(new(1), Block, isUnwanted: false);
        await second.EndAsync(default);
        Assert.Equal(Block, (await New().LoadAsync(default)).After);
    }

    [Fact]
    public async Task A_clock_that_was_wrong_puts_nothing_off_for_years()
    {
        clock.JumpWallClock(TimeSpan.FromDays(4000));
        await New().LoadAsync(default);
        clock.JumpWallClock(TimeSpan.FromDays(-4000));
        Assert.True(await New().IsDueAsync(default));
    }

    [Fact]
    public void A_note_is_as_the_format_says()
    {
        var note = new UpkeepNote(new(2026, 11, 30, 13, 0, 0, TimeSpan.Zero), new(0xA1), Block);
        var text = $"ashlar upkeep 1\ndue 2026-11-30T13:00:00.0000000+00:00\nnode 00000000000000a1\nafter {Block}\n";
        Assert.Equal(text, Encoding.UTF8.GetString(note.ToBytes()));
        Assert.Equal(note, UpkeepNote.Parse(note.ToBytes()));
        Assert.Equal(note with { Node = null, After = null }, UpkeepNote.Parse((note with { Node = null, After = null }).ToBytes()));
        string[] damaged = ["", "ashlar upkeep 2\n", "ashlar upkeep 1\n", text + "more\n", text.Replace("after ", "after x"), "\0"];
        foreach (var wrong in damaged)
            Assert.Null(UpkeepNote.Parse(Encoding.UTF8.GetBytes(wrong)));
    }

    Task<byte[]?> INotes.FindNoteAsync(string name, CancellationToken cancellationToken) =>
        Task.FromResult(notes.GetValueOrDefault(name));

    Task<bool> INotes.TryChangeNoteAsync(string name, byte[]? expected, byte[]? value, CancellationToken cancellationToken)
    {
        var found = notes.GetValueOrDefault(name);
        if (found is null != expected is null || !found.AsSpan().SequenceEqual(expected)) return Task.FromResult(false);
        notes[name] = value!;
        return Task.FromResult(true);
    }

    UpkeepJournal New() => new(this, "scrub", Every, clock);
}
