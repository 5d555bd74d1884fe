using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>What the server remembers of its exports: a directory of records. An export is there if and only if its record is.</summary>
sealed class ExportRegistry(IFileSystem fileSystem, string path) : RecordDirectory<RememberedExport>(fileSystem, path);
