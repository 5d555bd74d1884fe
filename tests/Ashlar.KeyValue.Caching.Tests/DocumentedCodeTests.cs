using Ashlar.KeyValue.Caching.Tests.Documented;
using Ashlar.KeyValue.Extensions;
using Ashlar.Simulation;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;

namespace Ashlar.KeyValue.Caching.Tests;

/// <summary>Code in the documents is code that was compiled, and does what they say.</summary>
public sealed class DocumentedCodeTests
{
    [Theory, InlineData("docs/key-value-caching.md"), InlineData("docs/key-value-hosting.md")]
    public void Code_of_a_document_is_among_what_is_compiled(string document)
    {
        var sources = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests/Ashlar.KeyValue.Caching.Tests/Documented"), "*.cs")
            .Select(path => Normalize(File.ReadAllLines(path)))
            .ToArray();
        var blocks = Blocks(File.ReadAllLines(Path.Combine(Repository.Root, document))).ToArray();
        Assert.True(blocks.Length >= 2, $"only {blocks.Length} blocks");
        Assert.All(blocks, block => Assert.Contains(sources, source => source.Contains(block, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Cache_aside_asks_the_database_once_and_sees_what_was_written()
    {
        using var test = new TestCache();
        var database = new CountingDatabase();
        var pages = new ProductPages(test.Cache, database);
        await pages.ChangeAsync("7", [1]);
        for (var i = 0; i < 3; i++) Assert.Equal([1], await pages.ReadAsync("7"));
        Assert.Equal(1, database.Reads);
        await pages.ChangeAsync("7", [2]);
        Assert.Equal([2], await pages.ReadAsync("7"));
        Assert.Equal(2, database.Reads);
        test.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal([2], await pages.ReadAsync("7"));
        Assert.Equal(3, database.Reads);
    }

    [Fact]
    public async Task Write_through_leaves_nothing_to_ask()
    {
        using var test = new TestCache();
        var database = new CountingDatabase();
        var pages = new ProductPages(test.Cache, database);
        await pages.WriteThroughAsync("7", [1]);
        await pages.WriteThroughAsync("7", [2]);
        Assert.Equal([2], await pages.ReadAsync("7"));
        Assert.Equal(0, database.Reads);
    }

    [Fact]
    public async Task A_report_is_written_once()
    {
        await using var app = Build(Programs.WithHybridCache);
        var cache = app.Services.GetRequiredService<HybridCache>();
        Assert.Equal("sales False", await Programs.GetReport(cache, "sales", CancellationToken.None));
        using var cancelled = new CancellationTokenSource();
        Assert.Equal("sales False", await Programs.GetReport(cache, "sales", cancelled.Token));
        Assert.IsType<KeyValueCache>(app.Services.GetRequiredService<IDistributedCache>());
    }

    [Fact]
    public async Task Programs_of_the_documents_find_what_they_registered()
    {
        await using (var app = Build(Programs.WithSessions)) Programs.SetFor(app.Services.GetRequiredService<IDistributedCache>(), [1]);
        await using (var app = Build(Programs.WithConfiguration))
            Programs.SetFor(app.Services.GetRequiredService<IDistributedCache>(), [1]);
        await using (var app = Build(Programs.InAStoreWithOtherData))
        {
            app.Services.GetRequiredService<IDistributedCache>().Set("key", [1], new());
            Assert.NotNull(app.Services.GetRequiredService<KeyValueStore>().Get("cache/\u0001key"u8));
        }

        await using (var app = Build(builder =>
        {
            builder.Configuration["Store:Directory"] = "/orders";
            Programs.WithStores(builder);
            builder.Services.AddSingleton<Orders>();
        }))
        {
            await app.Services.GetRequiredService<Orders>().AddAsync([1], [2]);
            Assert.Equal([2], app.Services.GetRequiredKeyedService<KeyValueStore>("audit").Get([1]));
        }
    }

    // On disks in memory, so that the directories of the documents stay alone.
    static WebApplication Build(Action<WebApplicationBuilder> configure)
    {
        var builder = WebApplication.CreateSlimBuilder();
        configure(builder);
        builder.Services.ConfigureAll<KeyValueStoreOptions>(options => options.FileSystem = new SimulatedFileSystem(isRecording: false));
        return builder.Build();
    }

    static IEnumerable<string> Blocks(string[] lines)
    {
        for (var at = 0; at < lines.Length; at++)
        {
            if (lines[at] != "```csharp") continue;
            var end = Array.IndexOf(lines, "```", at);
            yield return Normalize(lines[(at + 1)..end]);
            at = end;
        }
    }

    static string Normalize(string[] lines) => string.Join(
        '\n',
        lines.Select(line => line.Trim()).Where(line => line.Length > 0 && !line.StartsWith("using Ashlar", StringComparison.Ordinal)));
}
