using System.Text;
using Ashlar.Simulation;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;

namespace Ashlar.KeyValue.Caching.Tests;

/// <summary>The cache as second tier of Microsoft's HybridCache, over restarts of the program.</summary>
public sealed class HybridCacheTests
{
    readonly SimulatedFileSystem disk = new(isRecording: false);
    int created;

    [Fact]
    public async Task What_one_process_created_another_finds()
    {
        await using (var program = Start())
        {
            Assert.Equal("value of a", await Get(program, "a"));
            Assert.Equal("value of a", await Get(program, "a"));
            Assert.Equal(1, created);
            await Written(program, 1);
        }

        await using (var program = Start())
        {
            Assert.Equal("value of a", await Get(program, "a"));
            Assert.Equal(1, created);
            await Hybrid(program).RemoveAsync("a");
        }

        await using (var program = Start())
        {
            Assert.Equal("value of a", await Get(program, "a"));
            Assert.Equal(2, created);
        }
    }

    [Fact]
    public async Task Entries_that_were_removed_by_a_tag_stay_away_after_a_restart()
    {
        await using (var program = Start())
        {
            await Get(program, "a", "fruit");
            await Get(program, "b", "fruit");
            await Get(program, "c", "tools");
            Assert.Equal(3, created);
            await Written(program, 3);
        }

        await using (var program = Start())
        {
            await Hybrid(program).RemoveByTagAsync("fruit");
            await Get(program, "a", "fruit");
            Assert.Equal(4, created);
            await Written(program, 2);
        }

        await using (var program = Start())
        {
            await Get(program, "a", "fruit");
            await Get(program, "c", "tools");
            Assert.Equal(4, created);
            await Get(program, "b", "fruit");
            Assert.Equal(5, created);
        }
    }

    [Fact]
    public async Task Many_who_miss_at_once_create_one_value_and_long_keys_and_values_pass()
    {
        var key = new string('k', 1000);
        await using (var program = Start())
        {
            var values = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => Get(program, key))));
            Assert.All(values, value => Assert.Equal($"value of {key}", value));
            Assert.Equal(1, created);
            await Hybrid(program).SetAsync("large", new byte[500_000]);
            await Written(program, 2);
        }

        await using (var program = Start())
        {
            Assert.Equal($"value of {key}", await Get(program, key));
            Assert.Equal(1, created);
            var large = await Hybrid(program).GetOrCreateAsync<byte[]>("large", _ => throw new InvalidOperationException("It is there."));
            Assert.Equal(500_000, large.Length);
        }
    }

    async Task<string> Get(ServiceProvider program, string key, params string[] tags)
    {
        var value = await Hybrid(program).GetOrCreateAsync(
            key,
            _ =>
            {
                Interlocked.Increment(ref created);
                return ValueTask.FromResult(Encoding.UTF8.GetBytes($"value of {key}"));
            },
            tags: tags);
        return Encoding.UTF8.GetString(value);
    }

    // Whoever created a value has it before the second tier does.
    static Task Written(ServiceProvider program, int sets) => Waiting.UntilAsync(
        () => program.GetRequiredService<KeyValueCache>().GetStatistics().Sets >= sets, "values reach the second tier");

    static HybridCache Hybrid(ServiceProvider program) => program.GetRequiredService<HybridCache>();

    ServiceProvider Start()
    {
        var services = new ServiceCollection();
        services.AddAshlarCache("/cache");
        services.Configure<Extensions.KeyValueStoreOptions>(
            KeyValueCacheServiceCollectionExtensions.OwnStoreName, options => options.FileSystem = disk);
        services.AddHybridCache();
        return services.BuildServiceProvider();
    }
}
