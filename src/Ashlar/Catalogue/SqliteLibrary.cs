using System.Reflection;
using System.Runtime.InteropServices;
using Ashlar.Api;
using SQLitePCL;

namespace Ashlar.CommandLine;

/// <summary>SQLite as the system has it. The program brings none: it would be the one part of it that is not in its file.</summary>
static class SqliteLibrary
{
    // Without its development package a system has it by this name only.
    static readonly string[] Names = ["libsqlite3.so.0", "libsqlite3.so", "libsqlite3.dylib", "winsqlite3"];

    static readonly Lazy<bool> Loaded = new(Load);

    /// <summary>Loads it, once.</summary>
    /// <exception cref="CommandException">There is none.</exception>
    public static void Require()
    {
        if (Loaded.Value) return;
        throw new CommandException(
            ExitCode.Failed,
            ProblemTypes.Failed,
            "SQLite is not installed (libsqlite3.so.0)",
            "install it (Debian: libsqlite3-0), or use --sql, which needs none");
    }

    static bool Load()
    {
        if (!Names.Any(name => NativeLibrary.TryLoad(name, out _))) return false;
        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_sqlite3).Assembly, Resolve);
        raw.SetProvider(new SQLite3Provider_sqlite3());
        return true;
    }

    static nint Resolve(string library, Assembly assembly, DllImportSearchPath? searchPath)
    {
        foreach (var name in Names)
            if (NativeLibrary.TryLoad(name, out var handle)) return handle;
        return 0; // As if nobody had been asked.
    }
}
