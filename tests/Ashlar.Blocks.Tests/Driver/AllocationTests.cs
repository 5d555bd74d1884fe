using System.Diagnostics;
using System.Reflection;
using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Tests.Devices;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Driver;

/// <summary>Requests that need not wait allocate nothing.</summary>
public sealed class AllocationTests
{
    const int BlockSize = 4096;
    const int Requests = 2000;

    readonly byte[] buffer = new byte[4 * BlockSize];
    readonly BlockDriver file = new(new FileDevice(new ScriptedFile(64 * BlockSize)));
    readonly BlockDriver memory = new(new MemoryDevice(64));

    // A debug build makes a class of each async method's state, so there only requests without one can be free of
    // garbage.
    static readonly bool IsOptimized =
        typeof(BlockDriver).Assembly.GetCustomAttribute<DebuggableAttribute>() is not { IsJITOptimizerDisabled: true };

    [Fact]
    public void Whole_blocks_read_and_written_through_a_file() => AssertNoGarbage(() =>
    {
        Run(file.WriteAsync(8 * BlockSize, buffer));
        Run(file.ReadAsync(8 * BlockSize, buffer));
    });

    [Fact]
    public void Whole_blocks_read_and_written_through_memory()
    {
        if (!IsOptimized) return;
        AssertNoGarbage(() =>
        {
            Run(memory.WriteAsync(8 * BlockSize, buffer));
            Run(memory.ReadAsync(8 * BlockSize, buffer));
            Run(memory.TrimAsync(8 * BlockSize, BlockSize));
        });
    }

    [Fact]
    public void Parts_of_blocks()
    {
        if (!IsOptimized) return;
        AssertNoGarbage(() =>
        {
            Run(memory.WriteAsync(100, buffer.AsMemory(0, 2 * BlockSize)));
            Run(memory.ReadAsync(100, buffer.AsMemory(0, 2 * BlockSize)));
            Run(memory.WriteZeroesAsync(100, 10));
            Run(file.WriteAsync(100, buffer.AsMemory(0, 10)));
        });
    }

    [Fact]
    public void Flushes_with_nothing_to_do()
    {
        if (!IsOptimized) return;
        file.FlushAsync().AsTask().GetAwaiter().GetResult();
        AssertNoGarbage(() => Run(file.FlushAsync()));
    }

    static void Run(ValueTask request)
    {
        Assert.True(request.IsCompletedSuccessfully);
        request.GetAwaiter().GetResult();
    }

    static void AssertNoGarbage(Action requests)
    {
        for (var i = 0; i < 100; i++) requests(); // Pools fill, code is compiled.
        var garbage = AllocationMeter.LeastBytes(() =>
        {
            for (var i = 0; i < Requests; i++) requests();
        });
        Assert.True(garbage < Requests, $"{garbage} bytes for {Requests} rounds.");
    }
}
