namespace Ashlar.Files.Tests;

/// <summary>A reader who takes an hour has the file that it began with, whatever becomes of its name.</summary>
public sealed class LongReadTests
{
    [Theory]
    [InlineData("deleted")]
    [InlineData("replaced")]
    [InlineData("renamed over")]
    public async Task A_read_of_an_hour_is_of_the_file_that_it_began_with(string change)
    {
        await using var rig = await FileRig.CreateAsync();
        var (content, other) = (FileRig.Content(60_000, 1), FileRig.Content(30_000, 2));
        await rig.PutAsync("/file", content);
        await rig.PutAsync("/other", other);
        var reader = await rig.Files.ReadFileAsync(rig.Customer, FilePath.Parse("/file"));
        var collector = new Collector(rig.Store, rig.Nodes, new() { TimeProvider = rig.Clock });
        var read = new SlowSink(async () =>
        {
            if (change == "deleted") await rig.Files.DeleteDirectoryAsync(rig.Customer, FilePath.Parse("/file"));
            else if (change == "replaced") await rig.PutAsync("/file", other, new() { Condition = CommitCondition.Replace });
            else await rig.Files.RenameFileAsync(rig.Customer, FilePath.Parse("/other"), FilePath.Parse("/file"), mayReplace: true);
            for (var minutes = 0; minutes < 60; minutes += 10)
            {
                rig.Clock.Advance(TimeSpan.FromMinutes(10));
                await collector.RunAsync();
            }
        });
        await reader.CopyToAsync(read);
        Assert.Equal(content, read.ToArray());
    }

    /// <summary>Has something done when the first bytes have come.</summary>
    sealed class SlowSink(Func<Task> afterTheFirst) : MemoryStream
    {
        bool hasBegun;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await base.WriteAsync(buffer, cancellationToken);
            if (hasBegun) return;
            hasBegun = true;
            await afterTheFirst();
        }
    }
}
