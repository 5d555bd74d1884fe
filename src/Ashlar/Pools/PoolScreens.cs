using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>What people see of a pool that was changed.</summary>
static class PoolScreens
{
    /// <summary>Says what was done, and what is to be known of the pool since.</summary>
    public static void WriteChanged(Invocation invocation, Pool pool, string done) =>
        invocation.WriteChange(pool, ApiJson.Strict.Pool, [pool.Name], (writer, style) =>
        {
            writer.WriteLine(done);
            foreach (var warning in pool.Warnings) writer.WriteLine($"{style.Warning("!")} {invocation.CommandLines.InText(warning)}");
        });
}
