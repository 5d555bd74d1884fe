using Ashlar.Simulation;
using Ashlar.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Ashlar.KeyValue.Extensions.Tests;

/// <summary>A program with a host, and nothing that a test did not put there.</summary>
static class TestHost
{
    public const string Directory = "/store";

    public static SimulatedFileSystem NewDisk() => new(isRecording: false);

    public static IHost Build(Action<IServiceCollection> configure, RecordedLog? log = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        if (log is not null) builder.Logging.AddProvider(log);
        configure(builder.Services);
        return builder.Build();
    }

    /// <summary>A store on a disk in memory.</summary>
    public static Action<KeyValueStoreOptions> On(IFileSystem disk, string directory = Directory) => options =>
    {
        options.Directory = directory;
        options.FileSystem = disk;
        options.MemTableBytes = 64 << 10;
        options.TableBytes = 64 << 10;
        options.SpaceReserveBytes = 256 << 10;
    };
}
