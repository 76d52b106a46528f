namespace ChemScale.Engine.Training.Runs;

/// <summary>How long the metrics files were when a checkpoint was written: where they are cut when it is resumed from.</summary>
/// <param name="Csv">Bytes of metrics.csv.</param>
/// <param name="JsonLines">Bytes of metrics.jsonl.</param>
/// <param name="Events">Bytes of the TensorBoard file.</param>
/// <param name="EventsFile">Its name.</param>
internal sealed record MetricsPosition(long Csv, long JsonLines, long Events, string EventsFile);
