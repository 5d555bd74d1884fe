using Ashlar.TestKit;

namespace Ashlar.Server.Tests.CommandLine;

/// <summary>A PostgreSQL server of the test's own, on a socket in its directory. It does not run as root.</summary>
sealed class PostgresDatabase : IDisposable
{
    const string Nobody = "65534";

    readonly TemporaryDirectory directory = new();

    public PostgresDatabase()
    {
        try
        {
            if (Environment.IsPrivilegedProcess) ExternalTool.Run("chown", $"{Nobody}:{Nobody}", directory.DirectoryPath).MustSucceed();
            AsNobody("initdb", "-D", directory["data"], "-N", "-A", "trust", "-U", "nobody", "--no-locale", "-E", "UTF8");
            AsNobody(
                "pg_ctl", "-D", directory["data"], "-l", directory["log"], "-w", "-o", $"-k {directory.DirectoryPath} -h '' -F", "start");
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>What psql prints of a command, columns with bars between.</summary>
    public string Run(params string[] arguments) => ExternalTool.Run(
        "psql",
        ["-h", directory.DirectoryPath, "-U", "nobody", "-d", "postgres", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", .. arguments])
        .MustSucceed();

    public void Dispose()
    {
        AsNobody("pg_ctl", "-D", directory["data"], "-m", "immediate", "stop");
        directory.Dispose();
    }

    static void AsNobody(string tool, params string[] arguments)
    {
        if (Environment.IsPrivilegedProcess)
            ExternalTool.Run(
                "setpriv", ["--reuid", Nobody, "--regid", Nobody, "--clear-groups", ExternalTool.Find(tool)!, .. arguments]).MustSucceed();
        else ExternalTool.Run(tool, arguments).MustSucceed();
    }
}
