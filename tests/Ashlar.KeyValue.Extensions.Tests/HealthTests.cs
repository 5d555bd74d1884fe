using Ashlar.KeyValue.Extensions.Health;
using Ashlar.Simulation;
using Ashlar.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Ashlar.KeyValue.Extensions.Tests;

public sealed class HealthTests
{
    [Fact]
    public async Task A_store_that_reads_and_writes_is_healthy_and_shows_its_figures()
    {
        using var provider = Build(TestHost.NewDisk());
        provider.GetRequiredService<KeyValueStore>().Put("key"u8, "value"u8);
        var entry = await Check(provider);
        Assert.Equal(HealthStatus.Healthy, entry.Status);
        Assert.Equal(1UL, entry.Data["last_sequence"]);
        Assert.Equal(1UL, entry.Data["durable_sequence"]);
        Assert.Equal(false, entry.Data["is_disk_full"]);
        Assert.True((long)entry.Data["space_bytes"] > 0);
    }

    [Fact]
    public async Task A_full_disk_is_degraded_until_there_is_room()
    {
        var disk = TestHost.NewDisk();
        using var provider = Build(disk);
        var store = provider.GetRequiredService<KeyValueStore>();
        disk.CapacityBytes = 8 << 20;
        Assert.Equal(StorageErrorKind.NoSpace, Assert.Throws<StorageException>(() => Fill(store)).Kind);
        var full = await Check(provider);
        Assert.Equal(HealthStatus.Degraded, full.Status);
        Assert.Contains("the disk is full", full.Description, StringComparison.Ordinal);
        disk.CapacityBytes += 100 << 20;
        store.Put("key"u8, "value"u8);
        // Whether the background is still behind is another question.
        Assert.Equal(false, (await Check(provider)).Data["is_disk_full"]);

        static void Fill(KeyValueStore store)
        {
            for (var i = 0; i < 1000; i++) store.Put(BitConverter.GetBytes(i), new byte[64 << 10], Durability.Unflushed);
        }
    }

    [Theory, InlineData(""), InlineData("audti")]
    public async Task A_check_of_a_store_that_was_not_registered_fails_the_start_and_names_both(string store)
    {
        using var host = TestHost.Build(services =>
        {
            services.AddHealthChecks().AddAshlarKeyValue(store, "storage").AddAshlarKeyValue("audit");
            services.AddAshlarKeyValue("audit", TestHost.On(TestHost.NewDisk())); // The order of registrations is anybody's.
        });
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        var named = store.Length == 0 ? "key-value store" : "key-value store 'audti'";
        Assert.Equal($"health check 'storage': no {named} is registered; AddAshlarKeyValue does that", failure.Message);
    }

    [Fact]
    public async Task A_store_that_refuses_writes_is_unhealthy_or_what_the_registration_says()
    {
        var disk = new FaultyFileSystem(TestHost.NewDisk());
        using var provider = Build(disk, HealthStatus.Degraded);
        var store = provider.GetRequiredService<KeyValueStore>();
        store.Put("key"u8, "value"u8);
        disk.Add(new FaultRule(FaultOperations.Sync, FaultKind.InputOutputError));
        Assert.Throws<StorePoisonedException>(() => store.Put("key"u8, "value"u8));
        var unhealthy = await Check(provider);
        Assert.Equal(HealthStatus.Unhealthy, unhealthy.Status);
        Assert.IsType<StorePoisonedException>(unhealthy.Exception);
        Assert.Equal(HealthStatus.Degraded, (await Check(provider, "chosen")).Status);
    }

    [Theory]
    [InlineData("slow", "writers are slowed down: each MiB waits 2.5 ms for the background")]
    [InlineData("merge", "flushes and merges do not go on: no")]
    [InlineData("archive", "the archive of the log is not written: no")]
    [InlineData("full", "the disk is full: puts are refused, deletes go on")]
    public void What_goes_on_but_not_well_is_degraded_and_says_why(string trouble, string description)
    {
        var statistics = trouble switch
        {
            "slow" => new KeyValueStatistics { DelayPerMebibyte = TimeSpan.FromMilliseconds(2.5) },
            "merge" => new KeyValueStatistics { LastBackgroundFailure = "no" },
            "archive" => new KeyValueStatistics { LastArchiveFailure = "no" },
            _ => new KeyValueStatistics { IsDiskFull = true },
        };
        var found = KeyValueHealthCheck.Judge(statistics, failure: null, HealthStatus.Unhealthy);
        Assert.Equal((HealthStatus.Degraded, description), (found.Status, found.Description));
    }

    [Fact]
    public async Task A_closed_store_is_unhealthy()
    {
        using var provider = Build(TestHost.NewDisk());
        provider.GetRequiredService<KeyValueStore>().Close();
        var entry = await Check(provider);
        Assert.Equal((HealthStatus.Unhealthy, "the store is closed"), (entry.Status, entry.Description));
    }

    static ServiceProvider Build(IFileSystem disk, HealthStatus? failureStatus = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddAshlarKeyValue(TestHost.On(disk));
        services.AddHealthChecks().AddAshlarKeyValue().AddAshlarKeyValue(name: "chosen", failureStatus: failureStatus, tags: ["ready"]);
        return services.BuildServiceProvider();
    }

    static async Task<HealthReportEntry> Check(IServiceProvider provider, string name = "ashlar")
    {
        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.Equal(["ashlar", "chosen"], report.Entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["ready"], report.Entries["chosen"].Tags);
        return report.Entries[name];
    }
}
