namespace Ashlar.KeyValue;

/// <summary>One level of tables at one moment.</summary>
/// <param name="Level">0 is what memtables became; deeper levels are older.</param>
/// <param name="Tables">Tables in it.</param>
/// <param name="Bytes">Their size.</param>
/// <param name="Entries">Their entries: shadowed ones and tombstones count.</param>
/// <param name="Tombstones">Tombstones among them.</param>
public sealed record LevelStatistics(int Level, int Tables, long Bytes, long Entries, long Tombstones);
