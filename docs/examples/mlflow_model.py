"""A saved model as an MLflow model of the flavour pyfunc, which MLflow loads from this file."""

import mlflow

import forecastkit as fk


class Forecast(mlflow.pyfunc.PythonModel):
    """Forecasts after the given rows; where none are given, after those that the model holds."""

    def load_context(self, context):
        """Load the model from the artifact ``model``."""
        self.model = fk.load(context.artifacts["model"])

    def predict(self, context, model_input, params=None):
        """Return the forecast as a long frame, with quantiles."""
        return self.model.forecast(history=model_input if len(model_input) else None)


mlflow.models.set_model(Forecast())
